module apisvc.dev/components/pause

go 1.26.0
