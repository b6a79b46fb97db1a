package main

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	// roomCode matches the function of docs/guides/websocket.md, chatPage where the guide has its page opened.
	roomCode = regexp.MustCompile(`(?s)cat > room\.js <<'END'\n(.*?)\nEND\n`)
	chatPage = regexp.MustCompile(`open <http://localhost:(\d+)(/[^>]*)>`)
)

// driver goes before the script of the guide's page: the page does not ask for a name, says what its parent tells it,
// and tells its parent what it shows.
const driver = `
	window.prompt = () => new URLSearchParams(location.search).get('as')
	addEventListener('message', event => {
		document.querySelector('input').value = event.data
		document.querySelector('form').requestSubmit()
	})
	new MutationObserver(() => parent.postMessage(document.querySelector('pre').textContent, '*'))
		.observe(document.querySelector('pre'), { childList: true })
`

// testChatOfTheGuide opens the page of the guide where the guide says, and on PORT, where the server has its browser
// treat it as a page of another site.
func testChatOfTheGuide(t *testing.T, s *server) {
	text, err := os.ReadFile("../../docs/guides/websocket.md")
	if err != nil {
		t.Fatal(err)
	}
	code, page := roomCode.FindSubmatch(text), chatPage.FindSubmatch(text)
	if code == nil || page == nil || !strings.Contains(string(code[1]), "<script>") {
		t.Fatal("the guide has no function room.js with a script in its page, or does not say where to open that")
	}
	put(t, s.url+"/functions/chat/room", strings.Replace(string(code[1]), "<script>", "<script>"+driver, 1), `"websocket":{}`)
	ports := map[string]string{
		"8100": s.url, "8102": "http://127.0.0.1:" + s.logs.said(t, `listening for runs alone on port (\d+)`),
	}
	const ann, bob = "Welcome, ann|bob comes|ann: Hello!|bob: Hello, Ann!", "Welcome, bob|ann: Hello!|bob: Hello, Ann!"
	for _, row := range []struct{ port, ann, bob string }{
		{string(page[1]), ann, bob},
		{"8100", "The connection is closed.", ""},
	} {
		names := strings.NewReplacer("CHAT", ports[row.port]+string(page[2]))
		found := visit(t, "chat.html", names, "127.0.0.1", http.NotFoundHandler(), func(string) {})
		for name, want := range map[string]string{"ann": row.ann, "bob": row.bob} {
			if found[name] != want {
				t.Errorf("port %s: the page of %s shows %q, want %q", row.port, name, found[name], want)
			}
		}
	}
}
