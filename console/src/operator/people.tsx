// Everybody who can sign in: find them, make operators, deactivate, give a link for a new password.
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { type Issued, type Person, api, data, seen } from "../api/client";
import { peopleQuery, queryClient } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip, Dialog, Field, Stops } from "../parts/controls";
import { useSession } from "../parts/current";
import { tell } from "../parts/receipt";
import { ErrorBanner } from "../parts/problem";
import { Empty, Failed, Loading } from "../parts/states";
import { OneTimeLink } from "../pages/members";
import { OperatorPage } from "./page";
import { Search } from "./search";

const renew = () => queryClient.invalidateQueries({ queryKey: ["people"] });
type Ask = { person: Person; change: "operator" | "active" };

export function People() {
  const { t } = useWords();
  const me = useSession().person.id;
  const { q = "" } = useSearch({ from: "/frame/operator/people" });
  const list = useInfiniteQuery(peopleQuery(q));
  const [inviting, setInviting] = useState(false);
  const [ask, setAsk] = useState<Ask | null>(null);
  const [issued, setIssued] = useState<Issued | null>(null);
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const link = useMutation({
    mutationFn: (user_id: string) => data(api.POST("/api/v1/people/{user_id}/password-reset", { params: { path: { user_id } } })),
    onSuccess: setIssued,
  });
  return (
    <OperatorPage title={t("operator.people")} lead={t("operator.people.lead")} actions={<Button look="primary" icon="plus" onPress={() => setInviting(true)}>{t("people.invite")}</Button>}>
      <Search label={t("people.search")} value={q} />
      <ErrorBanner error={link.error} />
      {list.isPending ? <Loading rows={6} height={56} /> : null}
      {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.isSuccess && rows.length === 0 ? <Empty icon="search" title={t("noMatch")}>{t("noMatch.name", { name: q })}</Empty> : null}
      {rows.length > 0 ? (
        <ul className="card rows" aria-label={t("operator.people")}>
          {rows.map((person) => (
            <li key={person.id}>
              <span className="row-main"><b>{person.name || person.email}</b><span className="sub">{person.email}</span></span>
              <span className="row-fact">
                {person.operator ? <Chip tone="accent" icon="layers">{t("actor.operator")}</Chip> : null}
                {person.active ? null : <Chip tone="disabled" icon="power">{t("inactive")}</Chip>}
              </span>
              <span className="row-acts">
                <Button small aria-label={t("people.link.label", { name: person.email })} onPress={() => link.mutate(person.id)}>{t("people.link")}</Button>
                {person.id === me ? null : (
                  <>
                    <Button small aria-label={t(person.operator ? "people.demote.label" : "people.promote.label", { name: person.email })} onPress={() => setAsk({ person, change: "operator" })}>{person.operator ? t("people.demote") : t("people.promote")}</Button>
                    <Button small look={person.active ? "danger" : ""} aria-label={t(person.active ? "people.stop.label" : "people.start.label", { name: person.email })} onPress={() => setAsk({ person, change: "active" })}>{person.active ? t("people.stop") : t("people.start")}</Button>
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      {list.hasNextPage ? <div className="more-rows"><Button onPress={() => void list.fetchNextPage()}>{t("more.rows")}</Button></div> : null}
      {inviting ? <InviteOperator onClose={() => setInviting(false)} /> : null}
      {ask ? <Change ask={ask} onClose={() => setAsk(null)} /> : null}
      {issued ? <OneTimeLink issued={issued} onClose={() => setIssued(null)} /> : null}
    </OperatorPage>
  );
}

function InviteOperator({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const [email, setEmail] = useState("");
  const run = useMutation({ mutationFn: () => data(api.POST("/api/v1/people", { body: { email: email.trim() } })), onSuccess: renew });
  if (run.data) return <OneTimeLink issued={run.data} onClose={onClose} />;
  return (
    <Dialog title={t("people.invite")} onClose={onClose} footer={<><Button onPress={onClose}>{t("cancel")}</Button><Button look="primary" busy={run.isPending} onPress={() => run.mutate()}>{t("invite.do")}</Button></>}>
      <ErrorBanner error={run.error} />
      <p>{t("people.invite.what")}</p>
      <Field label={t("email")} type="email" value={email} onChange={setEmail} autoFocus />
    </Dialog>
  );
}

function Change({ ask, onClose }: { ask: Ask; onClose: () => void }) {
  const { t } = useWords();
  const { person, change } = ask;
  const on = change === "operator" ? person.operator : person.active;
  const run = useMutation({
    mutationFn: () =>
      data(api.PATCH("/api/v1/people/{user_id}", { params: { path: { user_id: person.id }, header: seen(person.edit) }, body: change === "operator" ? { operator: !on } : { active: !on } })),
    async onSuccess() {
      await renew();
      tell(t("done.update"));
      onClose();
    },
  });
  const verb = change === "operator" ? (on ? "people.demote" : "people.promote") : on ? "people.stop" : "people.start";
  return (
    <Dialog title={`${t(verb)}: ${person.name || person.email}`} sub={person.email} alert onClose={onClose} footer={<><Button onPress={onClose} autoFocus>{t("cancel")}</Button><Button look={on ? "danger-fill" : "primary"} busy={run.isPending} onPress={() => run.mutate()}>{t(verb)}</Button></>}>
      <ErrorBanner error={run.error} />
      <Stops items={[{ icon: on ? "cross" : "check", bad: on, text: t(`${verb}.what`) }]} />
    </Dialog>
  );
}
