package discover

const MaxCurl = 1 << 20

func Curl(line string) (Result, error) { return Result{}, nil }
