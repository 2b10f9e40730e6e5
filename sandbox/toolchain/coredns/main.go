// CoreDNS with the plugins that the sandbox's Corefile names, and no others: those for cloud
// providers and tracing take longer to compile than the rest of the sandbox's name server.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/template"
)

func main() {
	// In the order of CoreDNS's own plugin.cfg.
	dnsserver.Directives = []string{"bind", "health", "errors", "template", "kubernetes"}
	coremain.Run()
}
