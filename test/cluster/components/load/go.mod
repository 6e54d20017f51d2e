module apisvc.dev/components/load

go 1.26.0
