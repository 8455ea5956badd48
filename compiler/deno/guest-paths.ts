/** Where a jailed deno sees its folders. Fixed, since they end up in comments of the output. */

/** The source tree, read-only. */
export const guestSource = "/ignite/src";
/** What deno writes. */
export const guestOutput = "/ignite/out";
/** The organization's package cache. */
export const guestCache = "/ignite/cache";
/** Socket of the proxy to package registries; only there while packages are fetched. */
export const guestProxy = "/ignite/proxy.sock";
