package manifest

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/intramesh/intramesh/discovery"
)

// Config says what is read and how. Only Paths is needed.
type Config struct {
	// Paths are files and folders. Of a folder every file is read whose name ends in .yaml, .yml or .json, those in folders
	// below it too, once; names that begin with a dot are left out. Links are followed.
	Paths []string
	// Namespace is that of this process, and of resources that name none: it decides what short names mean and what
	// exportTo lets it see. Empty: "default".
	Namespace string
	// Domain is the end of the full names of services, "orders.default.svc.cluster.local". Empty: "cluster.local".
	Domain string
	// TrustDomain is that of the identities of service accounts, "spiffe://cluster.local/ns/default/sa/orders". Empty:
	// "cluster.local".
	TrustDomain string
	// Lenient leaves out what cannot be honoured and warns of it. What is wrong, and not only unsupported, is an error all
	// the same.
	Lenient bool
	// DNS says how hosts are looked up that a resource says are in DNS. Its Port and Suffix are not used.
	DNS discovery.DNSConfig
	// Poll is how often files are read even when the operating system says nothing of a change. 0: 30 s; negative: never.
	Poll time.Duration
	// Logger hears of warnings, of manifests that are bad, and when they are good again. Nil: [slog.Default].
	Logger *slog.Logger
}

// complete checks the configuration and fills in the defaults.
func (c *Config) complete() error {
	for _, x := range []struct {
		field string
		into  *string
		value string
	}{{"Namespace", &c.Namespace, "default"}, {"Domain", &c.Domain, "cluster.local"}, {"TrustDomain", &c.TrustDomain, "cluster.local"}} {
		if *x.into == "" {
			*x.into = x.value
		}
		if !isName(*x.into) {
			return fmt.Errorf("manifest: Config.%s %q is not a name", x.field, *x.into)
		}
	}
	if strings.Contains(c.Namespace, ".") {
		return fmt.Errorf("manifest: Config.Namespace %q is not the name of a namespace", c.Namespace)
	}
	if c.DNS.Port != 0 || c.DNS.Suffix != "" {
		return errors.New("manifest: Config.DNS has a Port or a Suffix, which resources say themselves")
	}
	if _, err := discovery.NewDNS(c.DNS); err != nil {
		return fmt.Errorf("manifest: Config.DNS: %w", err)
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return nil
}
