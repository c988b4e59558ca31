module github.com/silentrefresh/silentrefresh/keyringstore

go 1.26.0

require (
	github.com/silentrefresh/silentrefresh v0.1.0
	github.com/zalando/go-keyring v0.2.8
)

require (
	github.com/danieljoos/wincred v1.2.3 // indirect
	github.com/godbus/dbus/v5 v5.2.2 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	golang.org/x/sys v0.49.0 // indirect
)
