package oauth

import (
	"fmt"
	"html"
	"net/http"
)

// page is what a browser shows in the end. It loads nothing from anywhere.
const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%[1]s</title>
<style>
:root { color-scheme: light dark }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; font: 1rem/1.5 system-ui, sans-serif;
  background: light-dark(#f4f5f7, #15171a); color: light-dark(#1c1e21, #e6e7e9) }
main { max-width: 26rem; margin: 1rem; padding: 2rem; border-radius: .75rem; text-align: center;
  background: light-dark(#fff, #1f2226); box-shadow: 0 1px 8px #0003 }
b { display: inline-block; width: 3rem; height: 3rem; line-height: 3rem; border-radius: 50%%; font-size: 1.5rem;
  color: #fff; background: %[2]s }
h1 { font-size: 1.25rem; margin: 1rem 0 .5rem }
p { margin: 0; opacity: .8 }
</style>
</head>
<body><main><b aria-hidden="true">%[3]s</b><h1>%[1]s</h1><p>%[4]s</p></main></body>
</html>
`

// plainPage is Config.Page where none is given.
func plainPage(w http.ResponseWriter, _ *http.Request, err error) {
	title, color, sign, text := "You are logged in", "#1a7f45", "&#10003;", "You can close this window and go back to the program."
	if err != nil {
		title, color, sign, text = "The login did not succeed", "#b3261e", "!", "You can close this window; the program says why."
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, page, html.EscapeString(title), color, sign, html.EscapeString(text))
}
