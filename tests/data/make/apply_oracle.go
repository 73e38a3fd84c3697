// Writes traces of random server-side applies and updates, as sigs.k8s.io/structured-merge-diff does them, one JSON
// object per line. Built in GOPATH mode against Debian's golang-k8s-sigs-structured-merge-diff-dev:
//
//	GO111MODULE=off GOPATH=... go run apply_oracle.go 60 > ../spec/apply_traces.jsonl
package main

import (
	"encoding/json"
	"math/rand"
	"os"
	"sort"
	"strconv"

	"sigs.k8s.io/structured-merge-diff/v4/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v4/merge"
	"sigs.k8s.io/structured-merge-diff/v4/typed"
	"sigs.k8s.io/structured-merge-diff/v4/value"
)

const schema = `types:
- name: object
  map:
    fields:
    - {name: metadata, type: {namedType: metadata}}
    - {name: spec, type: {namedType: spec}}
- name: metadata
  map:
    fields:
    - {name: labels, type: {map: {elementType: {scalar: string}}}}
    - {name: finalizers, type: {list: {elementType: {scalar: string}, elementRelationship: associative}}}
- name: spec
  map:
    fields:
    - {name: min, type: {scalar: numeric}}
    - {name: max, type: {scalar: numeric}}
    - {name: args, type: {list: {elementType: {scalar: string}, elementRelationship: atomic}}}
    - {name: nodeSelector, type: {map: {elementType: {scalar: string}, elementRelationship: atomic}}}
    - {name: model, type: {namedType: model}}
    - {name: containers, type: {list: {elementType: {namedType: container}, elementRelationship: associative, keys: [name]}}}
- name: model
  map:
    fields:
    - {name: uri, type: {scalar: string}}
    - {name: limits, type: {map: {elementType: {scalar: string}}}}
    - {name: env, type: {list: {elementType: {namedType: variable}, elementRelationship: associative, keys: [name]}}}
- name: container
  map:
    fields:
    - {name: name, type: {scalar: string}}
    - {name: image, type: {scalar: string}}
    - {name: env, type: {list: {elementType: {namedType: variable}, elementRelationship: associative, keys: [name]}}}
- name: variable
  map:
    fields:
    - {name: name, type: {scalar: string}}
    - {name: value, type: {scalar: string}}
`

type object = map[string]interface{}

type sameVersion struct{}

func (sameVersion) Convert(o *typed.TypedValue, _ fieldpath.APIVersion) (*typed.TypedValue, error) {
	return o, nil
}
func (sameVersion) IsMissingVersionError(error) bool { return false }

var random = rand.New(rand.NewSource(5))

func one(of ...string) string { return of[random.Intn(len(of))] }
func often() bool             { return random.Intn(5) < 3 }
func rarely() bool            { return random.Intn(4) == 0 }

// Non-empty subsets of a few names, each with what make gives it.
func texts() object {
	out := object{one("a", "b", "c"): one("1", "2")}
	if often() {
		out[one("a", "b", "c")] = one("1", "2")
	}
	return out
}

func named(make func(name string) object) []interface{} {
	var out []interface{}
	for _, name := range []string{"a", "b", "c"} {
		if often() {
			out = append(out, make(name))
		}
	}
	if out == nil {
		out = append(out, make("d"))
	}
	return out
}

func variable(name string) object {
	out := object{"name": name}
	if often() {
		out["value"] = one("1", "2")
	}
	return out
}

func container(name string) object {
	out := object{"name": name}
	if often() {
		out["image"] = one("x", "w")
	}
	if rarely() {
		out["env"] = named(variable)
	}
	return out
}

func config() object {
	spec, metadata, model := object{}, object{}, object{}
	put := func(into object, name string, value interface{}) {
		if often() {
			into[name] = value
		}
	}
	put(metadata, "labels", texts())
	if rarely() {
		metadata["finalizers"] = []interface{}{one("f", "g"), "h"}
	}
	put(spec, "min", random.Intn(2))
	put(spec, "max", 2+random.Intn(2))
	if rarely() {
		spec["args"] = []interface{}{one("a", "b")}
	}
	if rarely() {
		spec["nodeSelector"] = texts()
	}
	put(model, "uri", one("s", "t"))
	if rarely() {
		model["limits"] = texts()
	}
	if rarely() {
		model["env"] = named(variable)
	}
	if len(model) > 0 && often() {
		spec["model"] = model
	}
	put(spec, "containers", named(container))
	out := object{}
	if len(metadata) > 0 {
		out["metadata"] = metadata
	}
	if len(spec) > 0 {
		out["spec"] = spec
	}
	return out
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func typedOf(parser *typed.Parser, o interface{}) *typed.TypedValue {
	text, err := json.Marshal(o)
	must(err)
	value, err := parser.Type("object").FromYAML(typed.YAMLObject(text))
	must(err)
	return value
}

type step struct {
	Operation string                     `json:"operation"` // "Apply" or "Update"
	Manager   string                     `json:"manager"`
	Force     bool                       `json:"force,omitempty"`
	Object    object                     `json:"object"`              // what is applied, or the object after the update
	Conflicts []string                   `json:"conflicts,omitempty"` // whose fields, one for each
	Live      object                     `json:"live"`                // afterwards
	Managers  map[string]json.RawMessage `json:"managers"`
}

func conflictsOf(err error) []string {
	var out []string
	for _, c := range err.(merge.Conflicts) {
		out = append(out, c.Manager) // in 4.1.2 paths beside each other may share their last step
	}
	sort.Strings(out)
	return out
}

func hasNull(part interface{}) bool {
	if o, ok := part.(object); ok {
		for _, inner := range o {
			if hasNull(inner) {
				return true
			}
		}
	}
	return part == nil
}

func untyped(live *typed.TypedValue) object {
	text, err := value.ToJSON(live.AsValue())
	must(err)
	out := object{}
	must(json.Unmarshal(text, &out))
	return out
}

// As Kubernetes does around the library: nobody owns the metadata itself.
func strip(managers fieldpath.ManagedFields) {
	bare := fieldpath.NewSet(fieldpath.MakePathOrDie("metadata"))
	for key, set := range managers {
		left := set.Set().Difference(bare)
		managers[key] = fieldpath.NewVersionedSet(left, set.APIVersion(), set.Applied())
		if left.Empty() {
			delete(managers, key)
		}
	}
}

// Five steps; nothing when a map or list lost its last part, where the library leaves null and jackdaw nothing.
func trace(parser *typed.Parser) []step {
	updater := merge.Updater{Converter: sameVersion{}}
	live := typedOf(parser, object{})
	managers := fieldpath.ManagedFields{}
	var steps []step
	for i := 0; i < 5; i++ {
		s := step{Operation: "Apply", Manager: one("a", "b"), Force: rarely(), Object: config()}
		if rarely() {
			s.Operation, s.Manager, s.Force = "Update", one("c", "d"), false
		}
		wanted := typedOf(parser, s.Object)
		key := s.Operation + " " + s.Manager
		if s.Operation == "Update" {
			var err error
			live, managers, err = updater.Update(live, wanted, "v1", managers, key)
			must(err)
		} else {
			next, nextManagers, err := updater.Apply(live, wanted, "v1", managers.Copy(), key, s.Force)
			if err != nil {
				s.Conflicts = conflictsOf(err)
			} else {
				managers = nextManagers
				if next != nil {
					live = next
				}
			}
		}
		if s.Live = untyped(live); s.Live == nil || hasNull(s.Live) {
			return nil
		}
		strip(managers)
		s.Managers = map[string]json.RawMessage{}
		for key, set := range managers {
			text, err := set.Set().ToJSON()
			must(err)
			s.Managers[key] = text
		}
		steps = append(steps, s)
	}
	return steps
}

func main() {
	parser, err := typed.NewParser(schema)
	must(err)
	count, err := strconv.Atoi(os.Args[1])
	must(err)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for written := 0; written < count; {
		if steps := trace(parser); steps != nil {
			must(out.Encode(steps))
			written++
		}
	}
}
