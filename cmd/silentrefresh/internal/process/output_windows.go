package process

import "os"

// abandoned reports that somebody reads f: the next write will tell.
func abandoned(*os.File) bool { return false }
