"""What NetworkPolicies allow, worked out as a network would: policies only add, and a pod that none selects may do anything."""

import ipaddress
from dataclasses import dataclass, field

from manifests import matches


@dataclass
class Peer:
    """The other end: pods by their labels, or an address."""

    labels: dict = field(default_factory=dict)
    namespace: str | None = None  # None is our own
    address: str | None = None


def selected_by(policy, labels, direction):
    types = policy["spec"].get("policyTypes", ["Ingress"])
    return direction in types and matches(policy["spec"].get("podSelector", {}), labels)


def is_peer(rule_peer, peer):
    if "ipBlock" in rule_peer:
        if peer.address is None:
            return False
        address = ipaddress.ip_address(peer.address)
        block = rule_peer["ipBlock"]
        return address in ipaddress.ip_network(block["cidr"]) and not any(address in ipaddress.ip_network(part) for part in block.get("except", []))
    if peer.address is not None:
        return False
    if "namespaceSelector" in rule_peer:
        there = matches(rule_peer["namespaceSelector"], {"kubernetes.io/metadata.name": peer.namespace or "mayfly"})
    else:
        there = peer.namespace is None
    return there and matches(rule_peer.get("podSelector", {}), peer.labels)


def is_port(rule_port, port, protocol):
    if rule_port.get("protocol", "TCP") != protocol:
        return False
    first = rule_port.get("port")
    return first is None or first == port or (isinstance(first, int) and first <= port <= rule_port.get("endPort", first))


def allowed(manifests, labels, direction, peer, port, protocol="TCP"):
    """Whether pods with these labels may be reached by, or may reach, `peer` at `port`."""
    policies = [policy for policy in manifests.of("NetworkPolicy") if selected_by(policy, labels, direction)]
    if not policies:
        return True
    key, side = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
    return any(
        (not part.get(side) or any(is_peer(candidate, peer) for candidate in part[side]))
        and (not part.get("ports") or any(is_port(candidate, port, protocol) for candidate in part["ports"]))
        for policy in policies
        for part in policy["spec"].get(key) or []
    )
