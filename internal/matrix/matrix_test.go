package matrix

import "testing"

// TestClientFields sets each field of client.Config by itself.
func TestClientFields(t *testing.T) { eachCell(t, clientRows, scenarios...) }

// TestCallOptions sets each field of client.Options by itself.
func TestCallOptions(t *testing.T) { eachCell(t, optionRows, scenarios...) }

// TestServerFields sets each field of server.Config by itself.
func TestServerFields(t *testing.T) { eachCell(t, serverRows, append(scenarios, panicking)...) }

// TestTransportSettings sets each field of servergrpc.Transport by itself.
func TestTransportSettings(t *testing.T) { eachCell(t, transportRows, append(scenarios, panicking)...) }

func eachCell(t *testing.T, rows []row, scenarios ...scenario) {
	for i := range rows {
		r := &rows[i]
		name := r.field
		if name == "" {
			name = "nothing"
		}
		t.Run(name, func(t *testing.T) {
			for _, wi := range r.wirings {
				t.Run(wi.name, func(t *testing.T) { eachColumn(t, r, wi, scenarios) })
			}
		})
	}
}

func eachColumn(t *testing.T, r *row, wi wiring, scenarios []scenario) {
	for _, c := range columns {
		for _, s := range scenarios {
			t.Run(c.name+"/"+s.name, func(t *testing.T) {
				cell{t: t, row: r, column: c, scenario: s, wiring: wi}.check()
			})
		}
	}
}
