// Credentials of machines: gateways that ask for decisions, and platform credentials that hold operator rights.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, data, type Recipe } from "../api/client";
import { gatewaysQuery, platformCredentialsQuery, queryClient } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip, Choice, Copyable, Dialog, Field, Stops } from "../parts/controls";
import { tell } from "../parts/receipt";
import { ErrorBanner } from "../parts/problem";
import { Day, Empty, Failed, Loading } from "../parts/states";
import { OperatorPage } from "./page";
import { LastProbe } from "./probe";

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

function Shown({ title, credential, onClose }: { title: string; credential: string; onClose: () => void }) {
  const { t } = useWords();
  return (
    <Dialog title={title} firm wide onClose={onClose} footer={<Button look="primary" onPress={onClose}>{t("secret.kept")}</Button>}>
      <Copyable label={t("credential")} value={credential} />
      <p className="help">{t("credential.once")}</p>
    </Dialog>
  );
}

export function Gateways() {
  const { t } = useWords();
  const list = useQuery(gatewaysQuery);
  const renew = () => queryClient.invalidateQueries({ queryKey: gatewaysQuery.queryKey });
  const [creating, setCreating] = useState(false);
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
              <span className="row-main"><b>{row.name}</b><span className="sub">{row.profile.recipe ? PROFILES[row.profile.recipe] : t("gateway.profile.own")} · <span className="mono">…{row.credential_last4}</span></span></span>
              <span className="row-fact">{row.peers.length > 0 ? row.peers.map((peer) => <Chip key={peer} tone="line">{peer}</Chip>) : <span className="faint">{t("gateway.anywhere")}</span>}</span>
              <span className="row-acts">
                <Button small aria-label={`${t("reset")}: ${row.name}`} onPress={() => setAsk({ name: row.name, deed: "reset" })}>{t("reset")}</Button>
                <Button small look="danger" aria-label={`${t("delete")}: ${row.name}`} onPress={() => setAsk({ name: row.name, deed: "delete" })}>{t("delete")}</Button>
              </span>
              <LastProbe name={row.name} />
            </li>
          ))}
        </ul>
      ) : null}
      {creating ? (
        <CreateNamed
          title={t("gateway.create")}
          withPeers
          onClose={() => setCreating(false)}
          run={async (name, peers, profile) => (await data(api.POST("/api/v1/gateways", { body: { name, profile, ...(peers.length > 0 ? { peers } : {}) } }))).credential}
          onDone={(name, credential) => {
            void renew();
            setCreating(false);
            setShown({ name, credential });
          }}
        />
      ) : null}
      {ask ? (
        <Dialog title={t(ask.deed === "reset" ? "ask.reset" : "ask.delete", { name: ask.name })} alert onClose={() => setAsk(null)} footer={<><Button autoFocus onPress={() => setAsk(null)}>{t("cancel")}</Button><Button look="danger-fill" busy={run.isPending} onPress={() => run.mutate(ask)}>{t(ask.deed)}</Button></>}>
          <ErrorBanner error={run.error} />
          <Stops items={[{ icon: "cross", bad: true, text: t("gateway.stops"), sub: t("gateway.stops.sub") }]} />
        </Dialog>
      ) : null}
      {shown ? <Shown title={t("credential.title", { name: shown.name })} credential={shown.credential} onClose={() => setShown(null)} /> : null}
    </OperatorPage>
  );
}

export function PlatformCredentials() {
  const words = useWords();
  const { t } = words;
  const list = useQuery(platformCredentialsQuery);
  const renew = () => queryClient.invalidateQueries({ queryKey: platformCredentialsQuery.queryKey });
  const [creating, setCreating] = useState(false);
  const [ask, setAsk] = useState<{ id: string; name: string } | null>(null);
  const [shown, setShown] = useState<{ name: string; credential: string } | null>(null);
  const remove = useMutation({
    mutationFn: (platform_credential_id: string) => api.DELETE("/api/v1/platform-credentials/{platform_credential_id}", { params: { path: { platform_credential_id } } }),
    async onSuccess() {
      await renew();
      setAsk(null);
      tell(t("done.update"));
    },
  });
  return (
    <OperatorPage title={t("operator.credentials")} lead={t("credentials.lead")} actions={<Button look="primary" icon="plus" onPress={() => setCreating(true)}>{t("credential.create")}</Button>}>
      {list.isPending ? <Loading height={56} /> : null}
      {list.isError ? <Failed error={list.error} retry={() => void list.refetch()} /> : null}
      {list.data?.items.length === 0 ? <Empty icon="key" title={t("credential.none")}>{t("credentials.lead")}</Empty> : null}
      {list.data && list.data.items.length > 0 ? (
        <ul className="card rows" aria-label={t("operator.credentials")}>
          {list.data.items.map((row) => (
            <li key={row.id}>
              <span className="row-main"><b>{row.name}</b><span className="sub mono">…{row.last4}</span></span>
              <span className="row-fact">{row.expires_at ? t("expires", { date: words.date(row.expires_at) }) : t("expires.never")}</span>
              <span className="row-fact faint"><Day moment={row.created_at} /></span>
              <span className="row-acts"><Button small look="danger" aria-label={`${t("delete")}: ${row.name}`} onPress={() => setAsk(row)}>{t("delete")}</Button></span>
            </li>
          ))}
        </ul>
      ) : null}
      {creating ? (
        <CreateNamed
          title={t("credential.create")}
          onClose={() => setCreating(false)}
          run={async (name) => (await data(api.POST("/api/v1/platform-credentials", { body: { name } }))).credential}
          onDone={(name, credential) => {
            void renew();
            setCreating(false);
            setShown({ name, credential });
          }}
        />
      ) : null}
      {ask ? (
        <Dialog title={t("ask.delete", { name: ask.name })} alert onClose={() => setAsk(null)} footer={<><Button autoFocus onPress={() => setAsk(null)}>{t("cancel")}</Button><Button look="danger-fill" busy={remove.isPending} onPress={() => remove.mutate(ask.id)}>{t("delete")}</Button></>}>
          <ErrorBanner error={remove.error} />
          <Stops items={[{ icon: "cross", bad: true, text: t("credential.stops") }]} />
        </Dialog>
      ) : null}
      {shown ? <Shown title={t("credential.title", { name: shown.name })} credential={shown.credential} onClose={() => setShown(null)} /> : null}
    </OperatorPage>
  );
}

function CreateNamed(props: { title: string; withPeers?: boolean; onClose: () => void; run: (name: string, peers: string[], profile: Recipe) => Promise<string>; onDone: (name: string, credential: string) => void }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  const [peers, setPeers] = useState("");
  const [profile, setProfile] = useState<Recipe>("nginx");
  const run = useMutation({ mutationFn: () => props.run(name.trim(), peers.split(/[\s,;]+/).filter(Boolean), profile), onSuccess: (credential) => props.onDone(name.trim(), credential) });
  return (
    <Dialog title={props.title} onClose={props.onClose} footer={<><Button onPress={props.onClose}>{t("cancel")}</Button><Button look="primary" busy={run.isPending} onPress={() => run.mutate()}>{props.title}</Button></>}>
      <ErrorBanner error={run.error} />
      <Field label={t("name")} value={name} onChange={setName} autoFocus />
      {props.withPeers ? <Choice label={t("gateway.profile")} value={profile} onChange={(id) => setProfile(id as Recipe)} options={Object.entries(PROFILES).map(([id, label]) => ({ id, label }))} help={t("gateway.profile.help")} /> : null}
      {props.withPeers ? <Field label={t("gateway.peers")} value={peers} onChange={setPeers} lines={2} help={t("gateway.peers.help")} mono /> : null}
    </Dialog>
  );
}
