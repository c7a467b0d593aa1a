// Who is signed in, and the account the page is about.
import { useSuspenseQuery } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import type { Account, Kind } from "../api/client";
import { sessionQuery } from "../api/queries";

export type Permission = "tokens.view" | "tokens.manage" | "secrets.reveal" | "members.manage" | "audit.view" | "account.manage";
const OPERATORS_MAY: Permission[] = ["tokens.view", "tokens.manage", "members.manage", "audit.view", "account.manage"];

export type Current = {
  account: Account;
  kind: Kind;
  may: (permission: Permission) => boolean;
  /** The person acts with operator rights, not as a member. */
  operator: boolean;
};

export const CurrentAccount = createContext<Current | null>(null);

export function useAccount(): Current {
  const current = useContext(CurrentAccount);
  if (!current) throw new Error("no account on this page");
  return current;
}

export const useSession = () => useSuspenseQuery(sessionQuery).data;

export const permits = (permissions: string[] | undefined) => {
  const held = permissions ?? OPERATORS_MAY;
  return (permission: Permission) => held.includes(permission);
};

/** Kinds whose token page is reached from a menu on the left; the catalog's menu path says so. */
export const leftMenu = (kind: Kind) => kind.menu_path[0]?.en === "Menu";

const LAST = "countersign-account";
export const rememberAccount = (id: string) => localStorage.setItem(LAST, id);
export const lastAccount = () => localStorage.getItem(LAST);
