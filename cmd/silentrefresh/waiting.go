package main

import (
	"io"
	"time"

	"github.com/silentrefresh/silentrefresh"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/process"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/terminal"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/timeline"
	"github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/words"
	"github.com/silentrefresh/silentrefresh/oauth"
)

// A wait is what a person sees on the terminal while a command waits: a line that is gone afterwards.
type wait struct {
	live    *terminal.Live // nil where standard error is no terminal
	screen  terminal.Screen
	waiting *timeline.Waiting
}

// waits shows what the command waits for, where somebody looks, until done is called. What the command writes to its
// standard output and error meanwhile pushes the line down.
func (a *app) waits(what string) (done func()) {
	screen := a.screen(a.err)
	live := terminal.NewLive(screen, a.err)
	if live == nil || a.options.verbose || a.options.request.silent {
		return func() {}
	}
	a.wait = wait{live, screen, timeline.NewWaiting(what)}
	a.err = live.Writer(a.err)
	if a.screen(a.out).Terminal {
		a.out = live.Writer(a.out)
	}
	a.wait.show()
	return a.wait.end
}

// end takes the line away for good.
func (w *wait) end() {
	if w.live != nil {
		w.waiting.End()
		w.live.Hide()
	}
}

func (w *wait) show() {
	w.live.Show(func(now time.Time) []string { return w.line(w.waiting.Line(now)) })
}

// line is text as it is shown, no line if there is none.
func (w *wait) line(text string) []string {
	if text == "" {
		return nil
	}
	return []string{w.screen.Paint(terminal.Dim, text)}
}

// pause takes the line away while somebody else uses the terminal, and returns what brings it back.
func (w *wait) pause() (resume func()) {
	if w.live == nil {
		return func() {}
	}
	w.live.Hide()
	return func() {
		w.waiting.Restart()
		w.show()
	}
}

// terminal is where others write standard error to while the line is paused.
func (a *app) terminal() io.Writer { return process.Raw(a.err) }

// observing is observe, which the line sees first.
func (w *wait) observing(observe func(silentrefresh.Event)) func(silentrefresh.Event) {
	if w.live == nil {
		return observe
	}
	return func(ev silentrefresh.Event) {
		w.waiting.Observe(ev)
		observe(ev)
	}
}

// prompt says what a person has to do for an OAuth login, and how long there is time for it. While a browser does its
// part there is no line: the person may be asked for what it ended at.
func (a *app) prompt(p oauth.Prompt) {
	a.wait.live.Hide()
	p.Print(a.err, true)
	if p.Code == "" {
		return
	}
	a.wait.live.Show(func(now time.Time) []string {
		text := "waiting for the code to be entered"
		if !p.Expires.IsZero() {
			text += ", " + words.Left(p.Expires.Sub(now)) + " left"
		}
		return a.wait.line(text)
	})
}
