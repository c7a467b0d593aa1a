// Who would hear what happens to a token, and who not yet: an address outside of the members says yes first.
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Told, type TokenSummary, api, data } from "../api/client";
import { renewTokens } from "../api/queries";
import { type Words, useWords } from "../i18n";
import { Button, Stops } from "./controls";
import { useAccount } from "./current";
import { ErrorBanner } from "./problem";
import { tell } from "./receipt";

export const hears = (told: Told) => told.state === "confirmed";
export const nobodyHears = (token: Pick<TokenSummary, "told">) => !token.told.some(hears);

/** The line of a dialog that says who is told of a deed. */
export function toldStop(words: Words, token: TokenSummary): Parameters<typeof Stops>[0]["items"][number] {
  const names = token.told.filter(hears).map((row) => (row.kind === "contact" ? (token.primary_contact?.name ?? row.address) : row.address));
  const list = names.length > 2 ? words.t("stops.told.more", { name: names[0] ?? "", count: names.length - 1 }) : words.list(names);
  return { icon: "mail", bad: names.length === 0, text: words.t("stops.told", { count: names.length, names: list }) };
}

export type ToldNote = { key: string; text: ReactNode; action?: ReactNode };

/** What needs care about who hears, the gravest first. */
export function useToldNotes(token: TokenSummary, manages: boolean, edit: ReactNode, see: ReactNode): ToldNote[] {
  const { t } = useWords();
  const notes: ToldNote[] = [];
  const unconfirmed = token.told.filter((row) => row.state === "unconfirmed");
  const bounced = token.told.find((row) => row.state === "bounced");
  if (nobodyHears(token)) notes.push({ key: "nobody", text: t("told.nobody"), action: edit });
  if (bounced) notes.push({ key: "bounced", text: t("told.bounced", { address: bounced.address }), action: edit });
  const [first] = unconfirmed;
  if (first && unconfirmed.length === 1) notes.push({ key: "unconfirmed", text: t("told.unconfirmed", { address: first.address }), action: manages ? <AskAgain address={first.address} /> : null });
  if (unconfirmed.length > 1) notes.push({ key: "unconfirmed", text: t("told.unconfirmed.many", { count: unconfirmed.length }), action: see });
  return notes;
}

export function AskAgain({ address }: { address: string }) {
  const { t } = useWords();
  const { account } = useAccount();
  const run = useMutation({
    mutationFn: () => data(api.POST("/api/v1/accounts/{account_id}/addresses/ask", { params: { path: { account_id: account.id } }, body: { email: address } })),
    async onSuccess() {
      await renewTokens(account.id);
      tell(t("told.asked", { address }));
    },
  });
  return (
    <>
      <Button look="link" small busy={run.isPending} aria-label={t("told.ask.label", { address })} onPress={() => run.mutate()}>{t("told.ask")}</Button>
      <ErrorBanner error={run.error} />
    </>
  );
}
