// The gateways that ask for decisions: made, edited, reset and deleted, each with what its last probe found.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, data, seen, type Gateway, type Recipe } from "../api/client";
import { gatewaysQuery, queryClient } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip, Choice, Dialog, Field, Stops } from "../parts/controls";
import { tell } from "../parts/receipt";
import { ErrorBanner } from "../parts/problem";
import { Empty, Failed, Loading } from "../parts/states";
import { OperatorPage } from "./page";
import { LastProbe } from "./probe";
import { ShownOnce } from "./shown-once";

/** The gateways we ship a configuration for; names of programs are the same in every language. */
const PROFILES: Record<Recipe, string> = {
  nginx: "nginx",
  haproxy: "HAProxy",
  caddy: "Caddy",
  traefik: "Traefik",
  envoy: "Envoy, HTTP",
  envoy_grpc: "Envoy, gRPC",
  apache: "Apache",
};

export function Gateways() {
  const { t } = useWords();
  const list = useQuery(gatewaysQuery);
  const renew = () => queryClient.invalidateQueries({ queryKey: gatewaysQuery.queryKey });
  const [creating, setCreating] = useState(false);
  const [editing, setEditing] = useState<Gateway | null>(null);
  const [ask, setAsk] = useState<{ name: string; deed: "reset" | "delete" } | null>(null);
  const [shown, setShown] = useState<{ name: string; credential: string } | null>(null);
  const run = useMutation({
    async mutationFn({ name, deed }: { name: string; deed: "reset" | "delete" }) {
      if (deed === "delete") {
        await api.DELETE("/api/v1/gateways/{name}", { params: { path: { name } } });
        return null;
      }
      return data(api.POST("/api/v1/gateways/{name}/reset", { params: { path: { name } } }));
    },
    async onSuccess(answer, { name }) {
      await renew();
      setAsk(null);
      tell(t("done.update"));
      if (answer) setShown({ name, credential: answer.credential });
    },
  });
  return (
    <OperatorPage title={t("operator.gateways")} lead={t("gateways.lead")} actions={<Button look="primary" icon="plus" onPress={() => setCreating(true)}>{t("gateway.create")}</Button>}>
      {list.isPending ? <Loading height={56} /> : null}
      {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.data?.items.length === 0 ? <Empty icon="door" title={t("gateway.none")}>{t("gateways.lead")}</Empty> : null}
      {list.data && list.data.items.length > 0 ? (
        <ul className="card rows" aria-label={t("operator.gateways")}>
          {list.data.items.map((row) => (
            <li key={row.id}>
              <span className="row-main"><b>{row.name}</b><span className="sub">{row.profile.recipe ? PROFILES[row.profile.recipe] : t("gateway.profile.own")} · <span className="mono">…{row.credential_last4}</span>{row.assertion_audience ? <> · {t("gateway.asserts", { audience: row.assertion_audience })}</> : null}</span></span>
              <span className="row-fact">{row.peers.length > 0 ? row.peers.map((peer) => <Chip key={peer} tone="line">{peer}</Chip>) : <span className="faint">{t("gateway.anywhere")}</span>}</span>
              <span className="row-acts">
                <Button small aria-label={`${t("edit")}: ${row.name}`} onPress={() => setEditing(row)}>{t("edit")}</Button>
                <Button small aria-label={`${t("reset")}: ${row.name}`} onPress={() => setAsk({ name: row.name, deed: "reset" })}>{t("reset")}</Button>
                <Button small look="danger" aria-label={`${t("delete")}: ${row.name}`} onPress={() => setAsk({ name: row.name, deed: "delete" })}>{t("delete")}</Button>
              </span>
              <LastProbe name={row.name} />
            </li>
          ))}
        </ul>
      ) : null}
      {creating ? (
        <GatewayForm
          onClose={() => setCreating(false)}
          onDone={(name, credential) => {
            void renew();
            setCreating(false);
            if (credential) setShown({ name, credential });
          }}
        />
      ) : null}
      {editing ? (
        <GatewayForm
          gateway={editing}
          onClose={() => setEditing(null)}
          onDone={() => {
            void renew();
            setEditing(null);
            tell(t("done.update"));
          }}
        />
      ) : null}
      {ask ? (
        <Dialog title={t(ask.deed === "reset" ? "ask.reset" : "ask.delete", { name: ask.name })} alert onClose={() => setAsk(null)} footer={<><Button autoFocus onPress={() => setAsk(null)}>{t("cancel")}</Button><Button look="danger-fill" busy={run.isPending} onPress={() => run.mutate(ask)}>{t(ask.deed)}</Button></>}>
          <ErrorBanner error={run.error} />
          <Stops items={[{ icon: "cross", bad: true, text: t("gateway.stops"), sub: t("gateway.stops.sub") }]} />
        </Dialog>
      ) : null}
      {shown ? <ShownOnce title={t("credential.title", { name: shown.name })} credential={shown.credential} onClose={() => setShown(null)} /> : null}
    </OperatorPage>
  );
}

/** Makes a gateway, or edits the one given; a profile of its own stays as it is unless another is chosen. */
function GatewayForm({ gateway, onClose, onDone }: { gateway?: Gateway; onClose: () => void; onDone: (name: string, credential: string | null) => void }) {
  const { t } = useWords();
  const [name, setName] = useState(gateway?.name ?? "");
  const [peers, setPeers] = useState(gateway?.peers.join("\n") ?? "");
  const [profile, setProfile] = useState<Recipe | "own">(gateway ? (gateway.profile.recipe ?? "own") : "nginx");
  const [audience, setAudience] = useState(gateway?.assertion_audience ?? "");
  const save = useMutation({
    async mutationFn() {
      const body = {
        peers: peers.split(/[\s,;]+/).filter(Boolean),
        assertion_audience: audience.trim() || null,
        ...(profile === "own" ? {} : { profile }),
      };
      if (gateway) {
        await data(api.PATCH("/api/v1/gateways/{name}", { params: { path: { name: gateway.name }, header: seen(gateway.edit) }, body }));
        return null;
      }
      return (await data(api.POST("/api/v1/gateways", { body: { name: name.trim(), ...body } }))).credential;
    },
    onSuccess: (credential) => onDone(name.trim(), credential),
  });
  const title = gateway ? t("gateway.edit", { name: gateway.name }) : t("gateway.create");
  const profiles = [
    ...(gateway && !gateway.profile.recipe ? [{ id: "own", label: t("gateway.profile.own") }] : []),
    ...Object.entries(PROFILES).map(([id, label]) => ({ id, label })),
  ];
  return (
    <Dialog title={title} onClose={onClose} footer={<><Button onPress={onClose}>{t("cancel")}</Button><Button look="primary" busy={save.isPending} onPress={() => save.mutate()}>{gateway ? t("gateway.save") : t("gateway.create")}</Button></>}>
      <ErrorBanner error={save.error} />
      {gateway ? null : <Field label={t("name")} value={name} onChange={setName} autoFocus />}
      <Choice label={t("gateway.profile")} value={profile} onChange={(id) => setProfile(id as Recipe | "own")} options={profiles} help={t("gateway.profile.help")} />
      <Field label={t("gateway.peers")} value={peers} onChange={setPeers} lines={2} help={t("gateway.peers.help")} mono />
      <Field label={t("gateway.audience")} value={audience} onChange={setAudience} help={t("gateway.audience.help")} mono />
    </Dialog>
  );
}
