/** Names the reason on answers that are Ignite's own, not of the side that a guest called. */
export const egressErrorHeader = "ignite-egress-error";
