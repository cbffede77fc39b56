// MusterDiscovery
