/** What a caller hears who asks an app to answer later, before any of the app runs. */
export const asyncRefusedMessage =
  "This release answers apps while the caller waits. Leave out Prefer: respond-async.";
