//go:build linux

package sandbox_test

import (
	"encoding/json"
	"testing"

	"github.com/backstage/functions/sandbox"
)

// lookingForSecrets answers with what a call finds of secrets: its own, and what others have left where code finds it.
const lookingForSecrets = `
	const given = Backstage.secrets
	function main(req, res) {
		const listed = JSON.stringify(Backstage) + Object.keys(Backstage) + JSON.stringify(Backstage.env)
		let frozen = Object.isFrozen(given)
		try { given.A = 'changed'; frozen = false } catch (e) {}
		try { Backstage.secrets = {}; frozen = req.body === 'none' } catch (e) {}
		const places = [RegExp.$_, RegExp.input, RegExp['$&'], listed, process_env()].join()
		res.send([given.A === undefined ? null : given.A, given === Backstage.secrets || req.body === 'none', frozen, places.indexOf('canary')])
	}
	function process_env() { return typeof process === 'undefined' ? '' : JSON.stringify([process.env, process.argv]) }`

func TestPromiseSecretsEndWithTheirCall(t *testing.T) {
	onEveryVersion(t, func(t *testing.T, v version) {
		pool := arena(t, v, nil)
		call := func(kind sandbox.Kind, body, secrets string) *sandbox.Result {
			t.Helper()
			inv := invocation("secrets", lookingForSecrets)
			inv.Kind, inv.Request.Body = kind, []byte(body)
			if secrets != "" {
				inv.Secrets = json.RawMessage(secrets)
			}
			result, err := pool.Invoke(t.Context(), inv)
			if err != nil {
				t.Fatal(err)
			}
			return result
		}
		call(sandbox.Check, "1", `{"A":"canary of a trial run"}`) // which gets none, and whose worker serves what follows
		for i, row := range []struct{ body, secrets, want string }{
			{"1", `{"A":"canary 1","__proto__":"canary"}`, `["canary 1",true,true,-1]`},
			{"2", `{"A":"canary 2"}`, `["canary 2",true,true,-1]`},
			{`"none"`, "", `[null,true,true,-1]`},
			{"3", `{"A":"canary 3"}`, `["canary 3",true,true,-1]`},
		} {
			result := call(sandbox.Run, row.body, row.secrets)
			if string(result.Body) != row.want {
				t.Errorf("call %d got %s, want %s", i, result.Body, row.want)
			}
			if result.Start != sandbox.StartWarm {
				t.Errorf("call %d had a worker of its own", i)
			}
		}
	})
}

func TestSecretsThatAreNoObjectAreRefused(t *testing.T) {
	inv := invocation("x", "")
	for _, text := range []string{`"A"`, `{`, `{"A":"1"},"type":"load"`} {
		inv.Secrets = json.RawMessage(text)
		if err := inv.Validate(); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
	inv.Secrets = json.RawMessage(`{"A":"1"}`)
	if err := inv.Validate(); err != nil {
		t.Error(err)
	}
}
