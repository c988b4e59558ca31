package provider_test

const childEnv = "SILENTREFRESH_OIDC_CHILD"

func child() int { return 0 }
