package testenv

import "testing"

func TestRedisKeepsItsAddressAcrossStopAndStart(t *testing.T) {
	s := Redis(t)
	if reply := s.Do("SET key value"); reply != "+OK" {
		t.Fatalf("SET answered %q", reply)
	}
	s.Stop()
	s.Stop()
	if answers(s.Addr) {
		t.Fatal("the server answers after Stop")
	}
	s.Start()
	if reply := s.Do("GET key"); reply != "$-1" {
		t.Errorf("a server started again holds %q", reply)
	}
}

func TestRedisWithPasswordIsReady(t *testing.T) {
	s := Redis(t, "--requirepass", "secret")
	if reply := s.Do("AUTH secret"); reply != "+OK" {
		t.Errorf("AUTH answered %q", reply)
	}
}

func TestRedisClusterOwnsEverySlot(t *testing.T) {
	s := RedisCluster(t)
	for _, key := range []string{"a", "b", "c"} {
		if reply := s.Do("SET " + key + " 1"); reply != "+OK" {
			t.Errorf("SET %s answered %q", key, reply)
		}
	}
}

func TestRedisSentinelKnowsItsMaster(t *testing.T) {
	s := RedisSentinel(t, Redis(t), "main")
	if reply := s.Do("SENTINEL GET-MASTER-ADDR-BY-NAME main"); reply != "*2" {
		t.Errorf("the master's address is %q", reply)
	}
}

func TestSentinelsPromoteTheReplica(t *testing.T) {
	master := Redis(t)
	replica := RedisReplica(t, master)
	sentinels := RedisSentinels(t, master, "main", 3)
	master.Stop()
	for _, s := range sentinels {
		s.proc.waitFor(t, "the failover", func() bool { return replica.Do("SET key value") == "+OK" })
	}
}

func TestNetworkCanBeCutAndHealed(t *testing.T) {
	n := NewNetwork(t, 1)
	s := n.Redis()
	n.Cut(0)
	if reply := s.Do("PING"); reply != "" {
		t.Errorf("through a cut cable came %q", reply)
	}
	n.Heal(0)
	s.proc.waitFor(t, "an answer through the healed cable", func() bool { return s.Do("PING") == "+PONG" })
}
