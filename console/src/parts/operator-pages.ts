// The operator's pages, in the menu at the left and, where there is no room for it, in the one of the top bar.
import type { Key } from "../i18n";
import type { IconName } from "./icon";

export const OPERATOR_PAGES = [
  { to: "/operator/accounts", icon: "layers", name: "operator.accounts" },
  { to: "/operator/people", icon: "people", name: "operator.people" },
  { to: "/operator/catalog", icon: "page", name: "operator.catalog" },
  { to: "/operator/versions", icon: "up", name: "operator.versions" },
  { to: "/operator/announcements", icon: "mail", name: "operator.announcements" },
  { to: "/operator/outbox", icon: "send", name: "operator.outbox" },
  { to: "/operator/webhooks", icon: "link", name: "webhooks" },
  { to: "/operator/gateways", icon: "door", name: "operator.gateways" },
  { to: "/operator/platform-credentials", icon: "key", name: "operator.credentials" },
  { to: "/operator/keys", icon: "shield", name: "operator.keys" },
  { to: "/operator/audit", icon: "pulse", name: "operator.audit" },
] as const satisfies readonly { to: string; icon: IconName; name: Key }[];
