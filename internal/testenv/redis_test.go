package testenv

import "testing"

func TestRedisKeepsItsAddressAcrossStopAndStart(t *testing.T) {
	s := Redis(t)
	if reply := command(s.Addr, "SET key value"); reply != "+OK" {
		t.Fatalf("SET answered %q", reply)
	}
	s.Stop()
	s.Stop()
	if answers(s.Addr) {
		t.Fatal("the server answers after Stop")
	}
	s.Start()
	if reply := command(s.Addr, "GET key"); reply != "$-1" {
		t.Errorf("a server started again holds %q", reply)
	}
}

func TestRedisWithPasswordIsReady(t *testing.T) {
	s := Redis(t, "--requirepass", "secret")
	if reply := command(s.Addr, "AUTH secret"); reply != "+OK" {
		t.Errorf("AUTH answered %q", reply)
	}
}

func TestRedisClusterOwnsEverySlot(t *testing.T) {
	s := RedisCluster(t)
	for _, key := range []string{"a", "b", "c"} {
		if reply := command(s.Addr, "SET "+key+" 1"); reply != "+OK" {
			t.Errorf("SET %s answered %q", key, reply)
		}
	}
}

func TestRedisSentinelKnowsItsMaster(t *testing.T) {
	s := RedisSentinel(t, Redis(t), "main")
	if reply := command(s.Addr, "SENTINEL GET-MASTER-ADDR-BY-NAME main"); reply != "*2" {
		t.Errorf("the master's address is %q", reply)
	}
}
