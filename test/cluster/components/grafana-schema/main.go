// Grafana-schema checks a dashboard with the types that Grafana generates from its schema: required
// fields, types, constraints and names of fields, also of the queries and of the options of panels.
// Not checked are the values of enumerations, for which the types accept any string.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

func main() {
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func check(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	runtime := cog.NewRuntime()
	runtime.RegisterDataqueryVariant(prometheus.VariantConfig())
	runtime.RegisterPanelcfgVariant(stat.VariantConfig())
	runtime.RegisterPanelcfgVariant(statetimeline.VariantConfig())
	runtime.RegisterPanelcfgVariant(table.VariantConfig())
	runtime.RegisterPanelcfgVariant(timeseries.VariantConfig())

	// It also returns an empty list as an error, and leaves out what is below such an error.
	strict := new(dashboard.Dashboard).UnmarshalJSONStrict(text)
	if strict != nil && strict.Error() != "" {
		return strict
	}
	var found dashboard.Dashboard
	if err := json.Unmarshal(text, &found); err != nil {
		return err
	}
	problems := []error{found.Validate()}
	for _, each := range found.Panels {
		problems = append(problems, checkPanel(each.Panel))
	}
	// UnmarshalJSONStrict does not read fieldConfig strictly.
	var given, known any
	again, err := json.Marshal(found)
	problems = append(problems, err, json.Unmarshal(text, &given), json.Unmarshal(again, &known))
	return errors.Join(append(problems, unknown("dashboard", given, known)...)...)
}

// checkPanel reports a type whose options and queries nothing has checked.
func checkPanel(panel *dashboard.Panel) error {
	if panel == nil {
		return errors.New("rows are not supported")
	}
	if _, isKnown := cog.NewRuntime().ConfigForPanelcfgVariant(panel.Type); !isKnown {
		return fmt.Errorf("panel %q: type %q is not one of those registered here", titleOf(panel), panel.Type)
	}
	for _, target := range panel.Targets {
		if _, isPrometheus := target.(*prometheus.Dataquery); !isPrometheus {
			return fmt.Errorf("panel %q: a query is not for Prometheus", titleOf(panel))
		}
	}
	return nil
}

// titleOf returns the title, which a panel need not have.
func titleOf(panel *dashboard.Panel) string {
	if panel.Title == nil {
		return ""
	}
	return *panel.Title
}

// unknown compares JSON with what is left of it after reading it into the types and writing it.
func unknown(path string, given, known any) (problems []error) {
	switch value := given.(type) {
	case map[string]any:
		other, _ := known.(map[string]any)
		for name, each := range value {
			if left, isKnown := other[name]; isKnown {
				problems = append(problems, unknown(path+"."+name, each, left)...)
			} else if !isEmpty(each) {
				problems = append(problems, fmt.Errorf("%s.%s: unknown field", path, name))
			}
		}
	case []any:
		other, _ := known.([]any)
		if len(other) != len(value) {
			return []error{fmt.Errorf("%s: %d entries are unknown", path, len(value)-len(other))}
		}
		for at, each := range value {
			problems = append(problems, unknown(fmt.Sprintf("%s[%d]", path, at), each, other[at])...)
		}
	}
	slices.SortFunc(problems, func(one, other error) int { return strings.Compare(one.Error(), other.Error()) })
	return problems
}

// isEmpty: such a value is not written again.
func isEmpty(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	}
	return value == nil
}
