//! A world in one process and virtual time: UDP links, faults, hosts, seeds.
