"""Made and mutated bytes on every topic of a running stack: nothing dies, nothing impossible is accepted."""
