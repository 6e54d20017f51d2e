// Load sends requests to an API at a fixed rate and prints what failed, as one line of JSON.
//
// The load is open loop: a request starts when it is due, even if earlier ones have no response
// yet. Half of the requests use a connection of their own (TCP and TLS), the others share one. GET
// of one object and LIST alternate. In addition, one watch stays open.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

type options struct {
	kubeconfig string
	path       string
	object     string
	rate       int
	duration   time.Duration
	timeout    time.Duration
	watch      bool
}

func main() {
	var o options
	flag.StringVar(&o.kubeconfig, "kubeconfig", "", "a kubeconfig in JSON with one context (kubectl config view --raw --flatten --minify -o json)")
	flag.StringVar(&o.path, "path", "", "path of the collection, for example /apis/wardle.example.com/v1alpha1/namespaces/default/flunders")
	flag.StringVar(&o.object, "object", "", "name of the object to get")
	flag.IntVar(&o.rate, "rate", 100, "requests per second")
	flag.DurationVar(&o.duration, "duration", 0, "stop after this time; 0 stops at SIGINT or SIGTERM")
	flag.DurationVar(&o.timeout, "timeout", 10*time.Second, "a request without a response after this time failed")
	flag.BoolVar(&o.watch, "watch", true, "keep a watch open")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.path == "" || o.object == "" || o.rate < 1 {
		return errors.New("--path, --object and a positive --rate are required")
	}
	target, err := readKubeconfig(o.kubeconfig)
	if err != nil {
		return err
	}
	stop, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	client := newClient(target, o)
	if err := client.tryEverything(stop); err != nil {
		return err
	}
	watcher := newWatcher(target, o)
	if o.watch {
		// The first watch must open, or every later figure about the watch would mean nothing.
		if err := watcher.start(stop); err != nil {
			return err
		}
	}
	fmt.Fprintln(os.Stderr, "started")
	report := client.send(stop)
	cancel()
	report.Watch = watcher.report()
	return json.NewEncoder(os.Stdout).Encode(report)
}

// send starts every request when it is due, until stop is done or the duration is over. A request
// that is due while this process does not run starts late, but it does start, also after stop.
func (c *client) send(stop context.Context) report {
	var running sync.WaitGroup
	count := newCounter()
	start := time.Now()
	interval := time.Second / time.Duration(c.options.rate)
	for number := 0; c.options.duration == 0 || time.Duration(number)*interval < c.options.duration; number++ {
		due := start.Add(time.Duration(number) * interval)
		if !sleepUntil(stop, due) {
			break
		}
		count.late(time.Since(due))
		running.Go(func() {
			each := request{fresh: number%2 == 0, list: number%4 >= 2}
			began := time.Now()
			if ended, err := c.do(stop, each, count.retried); ended {
				count.add(each, began, err)
			} else {
				count.unended()
			}
		})
	}
	elapsed := time.Since(start)
	running.Wait()
	return count.report(c.options.rate, elapsed)
}

// sleepUntil returns false if stop is done before that time has come.
func sleepUntil(stop context.Context, due time.Time) bool {
	select {
	case <-stop.Done():
	case <-time.After(time.Until(due)):
	}
	return !time.Now().Before(due)
}
