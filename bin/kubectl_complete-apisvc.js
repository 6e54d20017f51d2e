#!/usr/bin/env node
// kubectl 1.26 and newer runs this with the words after `kubectl apisvc` (k8s.io/kubectl/pkg/cmd/plugin/plugin_completion.go). A file of its own, for
// a link to apisvc.js that lost its name on the way would run the command that somebody is typing.
process.argv.splice(2, 0, '__complete', '--');
await import('./apisvc.js');
