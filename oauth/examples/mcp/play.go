package main

import "context"

func play(ctx context.Context, p program) error { return nil }
