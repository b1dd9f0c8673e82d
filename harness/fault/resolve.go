package fault

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fleetproof/fleetproof/harness/broker"
)

// resolve finds the brokers that a fault hits if it begins now, and names them. One that is about partitions hits
// whichever brokers have them: there are none to name.
func (f Field) resolve(ctx context.Context, spec Spec) (nodes []int, resolved string, err error) {
	target := spec.Target
	switch spec.Do {
	case ElectLeader, MoveLeader, AddPartitions:
		return nil, target.String(), nil
	case ShrinkISR:
		if nodes, err = f.shrunk(ctx, target); err != nil {
			return nil, "", fmt.Errorf("find who makes %s short of in-sync replicas: %w", target, err)
		}
		return nodes, fmt.Sprintf("%s (%s)", target, brokerNames(nodes)), nil
	}
	brokers := len(f.Cluster.Nodes())
	node := target.Broker - 1
	switch target.Form() {
	case Everything:
		for node := range brokers {
			nodes = append(nodes, node)
		}
		return nodes, target.String(), nil
	case OneLeader:
		if node, err = f.leader(ctx, target); err != nil {
			return nil, "", fmt.Errorf("find the %s: %w", target, err)
		}
	case OneController: // there may be none for a moment
		err = again(ctx, func() (err error) {
			node, err = f.Cluster.Controller(ctx)
			return err
		})
		if err != nil {
			return nil, "", err
		}
	}
	if node < 0 || node >= brokers {
		return nil, "", fmt.Errorf("there is no broker %d", node+1)
	}
	return []int{node}, brokerNames([]int{node}), nil
}

// askLeader asks the cluster for the broker that leads a partition now.
func (f Field) askLeader(ctx context.Context, target Target) (node int, err error) {
	err = f.withAdmin(func(admin *admin) error {
		partitions, err := admin.aimed(ctx, target, f.World)
		if err != nil {
			return err
		}
		node, err = f.leaderOf(partitions[0])
		return err
	})
	return node, err
}

// brokerNames are brokers as a scenario has them: broker 2, or brokers 2, 3.
func brokerNames(nodes []int) string {
	names := make([]string, len(nodes))
	for i, node := range nodes {
		names[i] = fmt.Sprint(node + 1)
	}
	if len(names) == 1 {
		return "broker " + names[0]
	}
	return "brokers " + strings.Join(names, ", ")
}

// begin notes that a fault is about to hit brokers. False says that it has to wait: because it would hit whoever leads
// now, and that broker is down without anybody having found out, or because, with what is not healed yet, it would leave
// fewer brokers than the topics' promise survives. The plan was made for a cluster that heals faster; what is judged
// afterwards would be promised by nobody.
func (r *Runner) begin(f *playing, nodes []int, target string, effect effect) (begun bool, err error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if f.row.downs && r.field.World.Broker == broker.Docker {
		if wait, err := r.crowded(f, nodes); wait || err != nil {
			return false, err
		}
	}
	f.nodes, f.effect, f.state = nodes, effect, injecting
	f.life.Target, f.life.InjectedAt = target, r.field.Clock()
	r.begun = append(r.begun, f)
	return true, nil
}

// crowded says whether there is no room for a fault on these brokers yet, or an error where there never will be. The
// mutex is held.
func (r *Runner) crowded(f *playing, nodes []int) (wait bool, err error) {
	own := f.spec.outage(nodes, r.field.World)
	if loss := lossOf([]outage{own}, r.field.World); loss != "" && !f.spec.AllowLoss {
		return false, errors.New(loss + ": say allow_loss: true if it may")
	}
	form := f.spec.Target.Form()
	outages := []outage{own}
	for _, other := range r.begun {
		if !other.row.downs || other.state >= healed {
			continue
		}
		later := cmp.Or(cmp.Compare(other.spec.At, f.spec.At), cmp.Compare(other.place, f.place)) > 0
		if !later || !other.spec.AllowLoss { // which then was the one that may take more
			outages = append(outages, other.spec.outage(other.nodes, r.field.World))
		}
		if form != OneBroker && form != Everything && other.inEffect() && meet(nodes, other.nodes) {
			return true, nil
		}
	}
	return !f.spec.AllowLoss && lossOf(outages, r.field.World) != "", nil
}

// meet says whether two lists have a broker in common.
func meet(a, b []int) bool {
	return slices.ContainsFunc(a, func(node int) bool { return slices.Contains(b, node) })
}
