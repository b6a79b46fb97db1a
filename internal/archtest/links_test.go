package archtest

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading      = regexp.MustCompile(`(?m)^#+ (.+)$`)
	fenced       = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	notInAnchor  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// TestLinksOfTheDocsLeadSomewhere follows the links from README.md, CHANGELOG.md and docs to files and headings of the
// repository.
func TestLinksOfTheDocsLeadSomewhere(t *testing.T) {
	pages := pages(t)
	headings := map[string]map[string]bool{}
	for name, text := range pages {
		headings[name] = anchors(text)
	}
	for name, text := range pages {
		for _, match := range markdownLink.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			if strings.Contains(match[1], "://") || strings.HasPrefix(match[1], "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(match[1], "#")
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if _, err := fs.Stat(os.DirFS(root), target); err != nil {
				t.Errorf("%s: %s: %v", name, match[1], err)
			} else if anchor != "" && !headings[target][anchor] {
				t.Errorf("%s: %s: %s has no such heading", name, match[1], target)
			}
		}
	}
}

// TestDecisionsAreNumberedOnce holds each page of docs/decisions to a number of its own, in its name and its title.
func TestDecisionsAreNumberedOnce(t *testing.T) {
	numbered := regexp.MustCompile(`^docs/decisions/(\d{4})-[a-z0-9-]+\.md$`)
	names := map[int]string{}
	for name, text := range pages(t) {
		match := numbered.FindStringSubmatch(name)
		if match == nil {
			continue
		}
		number, _ := strconv.Atoi(match[1]) // it is four digits
		if other, ok := names[number]; ok {
			t.Errorf("%s and %s have one number", name, other)
		}
		names[number] = name
		if title := "# " + strconv.Itoa(number) + ". "; !strings.HasPrefix(text, title) {
			t.Errorf("%s: its title does not begin with %q", name, title)
		}
	}
	if len(names) == 0 {
		t.Error("there are no decisions")
	}
}

// TestEveryGuideAndDecisionIsListed looks for each guide in README.md, and for each decision in its index.
func TestEveryGuideAndDecisionIsListed(t *testing.T) {
	lists := map[string]string{"docs/guides": "README.md", "docs/decisions": "docs/decisions/README.md"}
	pages := pages(t)
	for name := range pages {
		list, ok := lists[path.Dir(name)]
		if !ok || name == list {
			continue
		}
		link := "](" + strings.TrimPrefix(name, path.Dir(list)+"/") + ")"
		if !strings.Contains(pages[list], link) {
			t.Errorf("%s has no link to %s: add it", list, name)
		}
	}
}

// pages are the texts of all pages, by name from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	read := func(name string) {
		text, err := fs.ReadFile(os.DirFS(root), name)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = string(text)
	}
	read("README.md")
	read("CHANGELOG.md")
	err := fs.WalkDir(os.DirFS(root), "docs", func(name string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".md") {
			read(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// anchors are those that GitHub gives the headings of a page, but for headings that are there twice.
func anchors(page string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		text := notInAnchor.ReplaceAllString(strings.ToLower(match[1]), "")
		found[strings.ReplaceAll(text, " ", "-")] = true
	}
	return found
}
