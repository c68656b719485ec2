package main

import (
	"context"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"slices"
	"sort"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	listers "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
)

// loadBalancerClass is what a Service may name to get its address here; one that names another is left to others.
const loadBalancerClass = "sallyport.io/conformance"

// An allocator gives Services of type LoadBalancer addresses of a pool. kube-proxy serves them on every node, so there is
// nothing else to set up.
type allocator struct {
	client   kubernetes.Interface
	services listers.ServiceLister
	pool     netip.Prefix
	next     netip.Addr
	// Addresses that the lister may not show yet.
	given   map[types.UID]netip.Addr
	changed chan struct{}
}

func serveLoadBalancers() error {
	flags := flag.NewFlagSet("load-balancers", flag.ExitOnError)
	kubeconfig := flags.String("kubeconfig", "", "how to reach the API server")
	pool := flags.String("pool", "", "prefix of the addresses to give")
	_ = flags.Parse(os.Args[1:])
	prefix, err := netip.ParsePrefix(*pool)
	if err != nil {
		return fmt.Errorf("-pool: %w", err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = 100, 200
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	return newAllocator(client, prefix).run(ctx)
}

func newAllocator(client kubernetes.Interface, pool netip.Prefix) *allocator {
	return &allocator{
		client: client, pool: pool.Masked(), next: pool.Masked().Addr().Next(),
		given: map[types.UID]netip.Addr{}, changed: make(chan struct{}, 1),
	}
}

func (a *allocator) run(ctx context.Context) error {
	factory := informers.NewSharedInformerFactory(a.client, 0)
	a.services = factory.Core().V1().Services().Lister()
	wake := func() {
		select {
		case a.changed <- struct{}{}:
		default:
		}
	}
	_, err := factory.Core().V1().Services().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { wake() },
		UpdateFunc: func(any, any) { wake() },
		DeleteFunc: func(any) { wake() },
	})
	if err != nil {
		return err
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-a.changed:
			if err := a.reconcile(ctx); err != nil {
				klog.Errorf("trying again in a second: %v", err)
				time.AfterFunc(time.Second, wake)
			}
		}
	}
}

// reconcile looks at all Services at once: there are few, and who has which address is then plain to see.
func (a *allocator) reconcile(ctx context.Context) error {
	services, err := a.services.List(labels.Everything())
	if err != nil {
		return err
	}
	// Who came first has the first choice.
	sort.Slice(services, func(i, j int) bool {
		x, y := services[i], services[j]
		if !x.CreationTimestamp.Equal(&y.CreationTimestamp) {
			return x.CreationTimestamp.Before(&y.CreationTimestamp)
		}
		return x.UID < y.UID
	})
	owners := a.keep(services)
	for _, service := range services {
		if service.Spec.LoadBalancerClass != nil && *service.Spec.LoadBalancerClass != loadBalancerClass {
			continue
		}
		var want core.LoadBalancerStatus
		if service.Spec.Type == core.ServiceTypeLoadBalancer {
			if address, ok := a.choose(service, owners); ok {
				owners[address] = service.UID
				a.given[service.UID] = address
				want.Ingress = []core.LoadBalancerIngress{{IP: address.String()}}
			}
		}
		if err := a.write(ctx, service, want); err != nil {
			return err
		}
	}
	return nil
}

// keep tells who has which address, and forgets those who have gone.
func (a *allocator) keep(services []*core.Service) map[netip.Addr]types.UID {
	owners := map[netip.Addr]types.UID{}
	given := map[types.UID]netip.Addr{}
	for _, service := range services {
		if service.Spec.Type != core.ServiceTypeLoadBalancer {
			continue
		}
		address, ok := a.given[service.UID]
		if !ok && len(service.Status.LoadBalancer.Ingress) > 0 {
			address, _ = netip.ParseAddr(service.Status.LoadBalancer.Ingress[0].IP)
		}
		if _, taken := owners[address]; !taken && a.mayHave(service, address) {
			owners[address], given[service.UID] = service.UID, address
		}
	}
	a.given = given
	return owners
}

func (a *allocator) choose(service *core.Service, owners map[netip.Addr]types.UID) (netip.Addr, bool) {
	if address, ok := a.given[service.UID]; ok {
		return address, true
	}
	if wanted := service.Spec.LoadBalancerIP; wanted != "" {
		address, err := netip.ParseAddr(wanted)
		_, taken := owners[address]
		if err != nil || taken || !a.mayHave(service, address) {
			klog.Infof("%s/%s stays without address: %s is taken or not in %s", service.Namespace, service.Name, wanted, a.pool)
			return netip.Addr{}, false
		}
		return address, true
	}
	// The one that was free the longest, so that what is left of a deleted Service does not reach a new one.
	for range 1 << (32 - a.pool.Bits()) {
		address := a.next
		if a.next = a.next.Next(); !a.usable(a.next) {
			a.next = a.pool.Addr().Next()
		}
		if _, taken := owners[address]; !taken {
			return address, true
		}
	}
	klog.Warningf("%s/%s stays without address: all of %s are given", service.Namespace, service.Name, a.pool)
	return netip.Addr{}, false
}

func (a *allocator) mayHave(service *core.Service, address netip.Addr) bool {
	return a.usable(address) && (service.Spec.LoadBalancerIP == "" || service.Spec.LoadBalancerIP == address.String())
}

// usable leaves out the first and the last address of the pool, which are the network's own.
func (a *allocator) usable(address netip.Addr) bool {
	return a.pool.Contains(address) && address != a.pool.Addr() && a.pool.Contains(address.Next())
}

func (a *allocator) write(ctx context.Context, service *core.Service, want core.LoadBalancerStatus) error {
	have := service.Status.LoadBalancer.Ingress
	same := len(have) == len(want.Ingress) &&
		slices.EqualFunc(have, want.Ingress, func(x, y core.LoadBalancerIngress) bool { return x.IP == y.IP && x.Hostname == y.Hostname })
	if same {
		return nil
	}
	update := service.DeepCopy()
	update.Status.LoadBalancer = want
	_, err := a.client.CoreV1().Services(service.Namespace).UpdateStatus(ctx, update, meta.UpdateOptions{})
	if errors.IsConflict(err) || errors.IsNotFound(err) {
		return nil // a newer one is on its way, and wakes us
	}
	if err == nil {
		klog.Infof("%s/%s has %v", service.Namespace, service.Name, want.Ingress)
	}
	return err
}
