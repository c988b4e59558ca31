package main

import (
	"github.com/silentrefresh/silentrefresh/filestore"
	"github.com/silentrefresh/silentrefresh/seal"
)

// keys are where the key is that encrypts the sessions in dir.
func keys(dir string) []seal.Key { return filestore.DefaultKeys(dir) }
