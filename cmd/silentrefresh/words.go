package main

import "github.com/silentrefresh/silentrefresh/cmd/silentrefresh/internal/words"

// Times and spans as people read them.
var clock, span = words.Clock, words.Span
