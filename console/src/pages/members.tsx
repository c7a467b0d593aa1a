// The people of the account, their roles, and invitations that wait for an answer.
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Issued, type Member, ApiError, api, data } from "../api/client";
import { invitationsQuery, membersQuery, queryClient } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Button, Chip, Choice, Copyable, Dialog, Field, Stops } from "../parts/controls";
import { useAccount } from "../parts/current";
import { Page } from "../parts/frame";
import { tell } from "../parts/receipt";
import { ErrorBanner, rolesWith } from "../parts/problem";
import { Day, Empty, Failed, Loading } from "../parts/states";
import { memberOptions } from "./create";

const renew = (id: string) => Promise.all(["members", "invitations", "tokens"].map((key) => queryClient.invalidateQueries({ queryKey: [key, id] })));

export function Members() {
  const words = useWords();
  const { t } = words;
  const current = useAccount();
  const { account, kind, may } = current;
  const manages = may("members.manage");
  const sees = manages || may("tokens.view");
  const list = useQuery({ ...membersQuery(account.id), enabled: sees });
  const invited = useInfiniteQuery({ ...invitationsQuery(account.id), enabled: manages });
  const invitations = invited.data?.pages.flatMap((page) => page.items) ?? [];
  const [inviting, setInviting] = useState(false);
  const [changing, setChanging] = useState<Member | null>(null);
  const [removing, setRemoving] = useState<Member | null>(null);
  const role = (id: string | null | undefined) => words.label(kind.roles.find((row) => row.id === id)?.label) || id || "";
  const withdraw = useMutation({
    mutationFn: (invitation_id: string) => api.DELETE("/api/v1/accounts/{account_id}/invitations/{invitation_id}", { params: { path: { account_id: account.id, invitation_id } } }),
    onSuccess: () => renew(account.id),
  });
  return (
    <Page
      title={t("members")}
      steps={[{ name: t("members") }]}
      sum={<p className="muted lead">{list.data ? t("members.count", { count: list.data.length }) : t("members.lead")}</p>}
      actions={manages ? <Button look="primary" icon="plus" onPress={() => setInviting(true)}>{t("invite")}</Button> : null}
    >
      {!sees ? <Empty icon="people" title={t("members.no")}>{t("members.no.why", { who: rolesWith(words, current, ["members.manage"]) })}</Empty> : null}
      {sees && list.isPending ? <Loading height={56} /> : null}
      {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.data ? (
        <ul className="card rows" aria-label={t("members")}>
          {list.data.map((member) => (
            <li key={member.user_id}>
              <span className="row-main">
                <b>{member.name || member.email}</b>
                <span className="sub">{member.email}</span>
              </span>
              <span className="row-fact">
                {role(member.role)}
                {member.active ? null : <Chip tone="disabled" icon="power">{t("inactive")}</Chip>}
              </span>
              <span className="row-fact faint"><Day moment={member.created_at} /></span>
              <span className="row-acts">
                {manages ? (
                  <>
                    <Button small onPress={() => setChanging(member)} aria-label={t("role.change.label", { name: member.name })}>{t("role.change")}</Button>
                    <Button small look="danger" onPress={() => setRemoving(member)} aria-label={t("remove.label", { name: member.name })}>{t("remove")}</Button>
                  </>
                ) : null}
              </span>
            </li>
          ))}
        </ul>
      ) : null}
      {invited.isError ? <Failed error={invited.error} retry={() => void invited.refetch()} /> : null}
      {invitations.length > 0 ? (
        <section className="block">
          <h2>{t("invitations")}</h2>
          <ErrorBanner error={withdraw.error} />
          <ul className="card rows" aria-label={t("invitations")}>
            {invitations.map((row) => (
              <li key={row.id}>
                <span className="row-main"><b>{row.email}</b><span className="sub">{role(row.role)}</span></span>
                <span className="row-fact"><Chip tone="line" icon="clock">{t("expires", { date: words.date(row.expires_at) })}</Chip></span>
                <span className="row-fact faint"><Day moment={row.created_at} /></span>
                <span className="row-acts"><Button small look="danger" aria-label={t("withdraw.label", { email: row.email })} busy={withdraw.isPending} onPress={() => withdraw.mutate(row.id)}>{t("withdraw")}</Button></span>
              </li>
            ))}
          </ul>
          {invited.hasNextPage ? <div className="more-rows"><Button busy={invited.isFetchingNextPage} onPress={() => void invited.fetchNextPage()}>{t("more.rows")}</Button></div> : null}
        </section>
      ) : null}
      <section className="block">
        <h2>{t("roles")}</h2>
        <ul className="card rows roles">
          {kind.roles.map((row) => (
            <li key={row.id}>
              <span className="row-main"><b>{words.label(row.label)}</b></span>
              <span className="row-fact">
                {row.permissions.length === 0 ? <span className="faint">{t("permission.none")}</span> : row.permissions.map((permission) => <Chip key={permission} tone="line">{t(`permission.${permission}` as never)}</Chip>)}
              </span>
            </li>
          ))}
        </ul>
      </section>
      {inviting ? <Invite onClose={() => setInviting(false)} /> : null}
      {changing ? <ChangeRole member={changing} onClose={() => setChanging(null)} /> : null}
      {removing ? <Remove member={removing} others={(list.data ?? []).filter((row) => row.user_id !== removing.user_id)} onClose={() => setRemoving(null)} /> : null}
    </Page>
  );
}

export function OneTimeLink({ issued, onClose }: { issued: Issued; onClose: () => void }) {
  const { t, exact } = useWords();
  return (
    <Dialog title={t("link.title", { email: issued.invitation.email })} firm wide onClose={onClose} footer={<Button look="primary" onPress={onClose}>{t("link.kept")}</Button>}>
      <p>{t("link.what", { when: exact(issued.invitation.expires_at) })}</p>
      <Copyable label={t("link")} value={issued.link} lines />
      <Banner tone="warn" icon="link">{t("link.care")}</Banner>
    </Dialog>
  );
}

function Invite({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const { t } = words;
  const { account, kind } = useAccount();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState(kind.roles[0]?.id ?? "");
  const run = useMutation({
    mutationFn: () => data(api.POST("/api/v1/accounts/{account_id}/invitations", { params: { path: { account_id: account.id } }, body: { email: email.trim(), role } })),
    onSuccess: () => renew(account.id),
  });
  if (run.data) return <OneTimeLink issued={run.data} onClose={onClose} />;
  return (
    <Dialog title={t("invite")} onClose={onClose} footer={<><Button onPress={onClose}>{t("cancel")}</Button><Button look="primary" busy={run.isPending} onPress={() => run.mutate()}>{t("invite.do")}</Button></>}>
      <ErrorBanner error={run.error} />
      <Field label={t("email")} type="email" value={email} onChange={setEmail} autoFocus />
      <Choice label={t("role")} value={role} onChange={setRole} options={kind.roles.map((row) => ({ id: row.id, label: words.label(row.label) }))} />
    </Dialog>
  );
}

function ChangeRole({ member, onClose }: { member: Member; onClose: () => void }) {
  const words = useWords();
  const { t } = words;
  const { account, kind } = useAccount();
  const [role, setRole] = useState(member.role);
  const run = useMutation({
    mutationFn: () => data(api.PATCH("/api/v1/accounts/{account_id}/members/{user_id}", { params: { path: { account_id: account.id, user_id: member.user_id } }, body: { role } })),
    async onSuccess() {
      await renew(account.id);
      tell(t("role.done", { name: member.name }));
      onClose();
    },
  });
  return (
    <Dialog title={t("role.ask", { name: member.name })} sub={member.email} onClose={onClose} footer={<><Button onPress={onClose}>{t("cancel")}</Button><Button look="primary" busy={run.isPending} isDisabled={role === member.role} onPress={() => run.mutate()}>{t("role.change")}</Button></>}>
      <ErrorBanner error={run.error} />
      <Choice label={t("role")} value={role} onChange={setRole} options={kind.roles.map((row) => ({ id: row.id, label: words.label(row.label) }))} help={t("role.help")} />
    </Dialog>
  );
}

function Remove({ member, others, onClose }: { member: Member; others: Member[]; onClose: () => void }) {
  const words = useWords();
  const { t } = words;
  const { account } = useAccount();
  const [successor, setSuccessor] = useState<string | null>(null);
  const run = useMutation({
    mutationFn: () => api.DELETE("/api/v1/accounts/{account_id}/members/{user_id}", { params: { path: { account_id: account.id, user_id: member.user_id }, query: successor ? { successor } : {} } }),
    async onSuccess() {
      await renew(account.id);
      tell(t("remove.done", { name: member.name }));
      onClose();
    },
  });
  const conflict = run.error instanceof ApiError && run.error.code === "primary_contact" ? run.error : null;
  const tokens = (conflict?.extra["tokens"] as string[] | undefined) ?? [];
  return (
    <Dialog title={t("remove.ask", { name: member.name })} sub={member.email} alert onClose={onClose} footer={<><Button onPress={onClose} autoFocus>{t("remove.keep")}</Button><Button look="danger-fill" busy={run.isPending} isDisabled={conflict !== null && !successor} onPress={() => run.mutate()}>{t("remove.do")}</Button></>}>
      {conflict ? <Banner tone="warn">{t("remove.contact", { tokens: words.list(tokens) })}</Banner> : <ErrorBanner error={run.error} />}
      <Stops items={[{ icon: "cross", bad: true, text: t("remove.stops"), sub: t("remove.stops.sub") }, { icon: "key", text: t("remove.tokens") }]} />
      {conflict ? <Choice label={t("remove.successor")} value={successor} onChange={setSuccessor} options={memberOptions(others)} placeholder={t("primaryContact.choose")} /> : null}
    </Dialog>
  );
}
