#!/usr/bin/env node
// kubectl 1.26 and newer runs this with the words after `kubectl apisvc`
// (k8s.io/kubectl/pkg/cmd/plugin/plugin_completion.go). It is a separate file because wrappers of
// some package managers hide the name of a link: apisvc.js would then run the half-typed command.
process.argv.splice(2, 0, '__complete', '--');
require('./apisvc.js');
