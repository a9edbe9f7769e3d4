// Command esc-judge evaluates ESC environments with Pulumi's own evaluator.
//
// It reads a JSON list of requests from standard input and writes a JSON list of verdicts, one for each
// request, to standard output. Nothing but the answer of the login provider is ours: parsing, imports,
// merging, references and the execution context are those of github.com/pulumi/esc.
package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/hashicorp/hcl/v2"
	"github.com/pulumi/esc"
	"github.com/pulumi/esc/eval"
	"github.com/pulumi/esc/schema"
	"github.com/pulumi/esc/syntax"
	"gopkg.in/yaml.v3"
)

// inputsJSON is the aws-login part of schema/testdata/esc.json in github.com/pulumi/esc, and
// subjectAttributes as documented at https://www.pulumi.com/docs/esc/providers/login/aws-login/.
//
//go:embed aws-login.json
var inputsJSON []byte

type request struct {
	// Environments maps each name, as an import spells it, to its definition.
	Environments map[string]string `json:"environments"`
	// Name is the environment to evaluate; "<yaml>" for an anonymous definition.
	Name string `json:"name"`
	// Definition is evaluated under Name. When it is null, Environments holds the definition.
	Definition *string `json:"definition"`
	// Context holds the values under `context`, such as {"pulumi": {"user": {"login": "alice"}}}.
	Context map[string]any `json:"context"`
	// Check asks for a check, which opens no provider.
	Check bool `json:"check"`
}

type position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

type diagnostic struct {
	Summary     string    `json:"summary"`
	Severity    string    `json:"severity"`
	Environment string    `json:"environment,omitempty"`
	Begin       *position `json:"begin,omitempty"`
}

type login struct {
	Inputs             any    `json:"inputs"`
	CurrentEnvironment string `json:"currentEnvironment"`
	RootEnvironment    string `json:"rootEnvironment"`
}

type verdict struct {
	Properties  map[string]any `json:"properties"`
	Diagnostics []diagnostic   `json:"diagnostics"`
	Logins      []login        `json:"logins"`
	// Layout is the evaluated definition as yaml.v3, with which Pulumi's commands write, lays it out.
	Layout string `json:"layout"`
}

// environments is the environment loader over the given definitions.
type environments map[string]string

func (e environments) LoadEnvironment(_ context.Context, name string) ([]byte, eval.Decrypter, error) {
	text, ok := e[name]
	if !ok {
		return nil, nil, fmt.Errorf("environment %q not found", name)
	}
	return []byte(text), nil, nil
}

// recorder provides aws-login. It writes down who asked for what and answers with fixed credentials.
type recorder struct {
	logins []login
}

func (r *recorder) LoadProvider(_ context.Context, name string) (esc.Provider, error) {
	if name != "aws-login" {
		return nil, fmt.Errorf("unknown provider %q", name)
	}
	return r, nil
}

func (r *recorder) LoadRotator(_ context.Context, name string) (esc.Rotator, error) {
	return nil, fmt.Errorf("unknown rotator %q", name)
}

func (r *recorder) Schema() (inputs, outputs *schema.Schema) {
	inputs = &schema.Schema{}
	if err := json.Unmarshal(inputsJSON, inputs); err != nil {
		log.Fatalf("aws-login.json: %v", err)
	}
	outputs = schema.Record(schema.SchemaMap{
		"accessKeyId":     schema.String().Schema(),
		"secretAccessKey": schema.String().Schema(),
		"sessionToken":    schema.String().Schema(),
	}).Schema()
	return inputs, outputs
}

func (r *recorder) Open(
	_ context.Context,
	inputs map[string]esc.Value,
	executionContext esc.EnvExecContext,
) (esc.Value, error) {
	oidc, ok := inputs["oidc"]
	if !ok {
		return esc.Value{}, errors.New("this provider logs in with oidc only")
	}
	r.logins = append(r.logins, login{
		Inputs:             oidc.ToJSON(false),
		CurrentEnvironment: executionContext.GetCurrentEnvironmentName(),
		RootEnvironment:    executionContext.GetRootEnvironmentName(),
	})
	return esc.NewValue(map[string]esc.Value{
		"accessKeyId":     esc.NewSecret("ASIAJUDGE"),
		"secretAccessKey": esc.NewSecret("judge-secret"),
		"sessionToken":    esc.NewSecret("judge-token"),
	}), nil
}

// render wraps every nested value as Pulumi's REST API does, without traces.
func render(v esc.Value) map[string]any {
	var content any
	switch value := v.Value.(type) {
	case []esc.Value:
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = render(item)
		}
		content = items
	case map[string]esc.Value:
		properties := make(map[string]any, len(value))
		for key, property := range value {
			properties[key] = render(property)
		}
		content = properties
	default:
		content = value
	}
	wrapped := map[string]any{"value": content}
	if v.Secret {
		wrapped["secret"] = true
	}
	if v.Unknown {
		wrapped["unknown"] = true
	}
	return wrapped
}

func describe(diags syntax.Diagnostics) []diagnostic {
	described := make([]diagnostic, len(diags))
	for i, diag := range diags {
		described[i] = diagnostic{Summary: diag.Summary, Severity: "error"}
		if diag.Severity == hcl.DiagWarning {
			described[i].Severity = "warning"
		}
		if subject := diag.Subject; subject != nil {
			described[i].Environment = subject.Filename
			described[i].Begin = &position{Line: subject.Start.Line, Column: subject.Start.Column}
		}
	}
	return described
}

func judge(req request) (verdict, error) {
	known := environments(req.Environments)
	text := []byte(known[req.Name])
	if req.Definition != nil {
		text = []byte(*req.Definition)
	}

	decl, diags, err := eval.LoadYAMLBytes(req.Name, text)
	if err != nil {
		return verdict{}, err
	}
	if diags.HasErrors() {
		return verdict{Properties: map[string]any{}, Diagnostics: describe(diags), Logins: []login{}}, nil
	}

	values, err := esc.FromJSON(req.Context)
	if err != nil {
		return verdict{}, fmt.Errorf("context: %w", err)
	}
	execContext, err := esc.NewExecContext(values.Value.(map[string]esc.Value))
	if err != nil {
		return verdict{}, fmt.Errorf("context: %w", err)
	}

	provider := &recorder{logins: []login{}}
	var env *esc.Environment
	var evalDiags syntax.Diagnostics
	ctx := context.Background()
	if req.Check {
		env, evalDiags = eval.CheckEnvironment(ctx, req.Name, decl, nil, provider, known, execContext, true)
	} else {
		env, evalDiags = eval.EvalEnvironment(ctx, req.Name, decl, nil, provider, known, execContext)
	}
	diags.Extend(evalDiags...)

	properties := map[string]any{}
	// A definition without imports and values evaluates to nil.
	if env != nil {
		for key, value := range env.Properties {
			properties[key] = render(value)
		}
	}
	layout, err := layOut(text)
	if err != nil {
		return verdict{}, err
	}
	return verdict{properties, describe(diags), provider.logins, layout}, nil
}

// layOut reads a definition and writes it as `pulumi env set` does, which leaves the rest of it as it was.
func layOut(text []byte) (string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil || root.Kind == 0 {
		return "", err
	}
	written, err := yaml.Marshal(&root)
	return string(written), err
}

func main() {
	log.SetFlags(0)

	var requests []request
	decoder := json.NewDecoder(os.Stdin)
	decoder.UseNumber()
	if err := decoder.Decode(&requests); err != nil {
		log.Fatalf("requests: %v", err)
	}

	verdicts := make([]verdict, len(requests))
	for i, req := range requests {
		verdict, err := judge(req)
		if err != nil {
			log.Fatalf("request %d (%s): %v", i, req.Name, err)
		}
		verdicts[i] = verdict
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		log.Fatalf("verdicts: %v", err)
	}
}
