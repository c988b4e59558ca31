package main

import "context"

const proxyHelp, execHelp = "", ""

func token(_ context.Context, a *app) error   { return nil }
func watch(_ context.Context, a *app) error   { return nil }
func proxy(_ context.Context, a *app) error   { return nil }
func execute(_ context.Context, a *app) error { return nil }
