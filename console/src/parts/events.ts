// What people and machines are told of, and how far a message can be: the words of the API.
export const EVENTS = [
  "token.created", "token.changed", "token.reset", "token.disabled", "token.enabled", "token.deleted", "token.expiring", "overlap.ending", "secret.shown",
  "account.suspended", "access.off", "version.deprecated", "version.ending", "announcement", "address.confirm", "invitation", "password.reset", "webhook.test",
  "webhook.disabled",
] as const;
export const DELIVERY_STATES = ["waiting", "held", "sent", "dead"] as const;
export const CHANNELS = ["mail", "webhook"] as const;
