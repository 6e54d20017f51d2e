module apisvc.dev/test/chain

go 1.26
