/** What callers hear from the front, with HAProxy and without, before any of an app runs. */

/** To who asks an app to answer later. */
export const asyncRefusedMessage =
  "This release answers apps while the caller waits. Leave out Prefer: respond-async.";

/** To a browser that wants a service worker for the origin that all apps share by path. */
export const serviceWorkerRefusedMessage = "Service workers are served by the app's own host only.";
