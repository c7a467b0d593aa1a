// Platform credentials: machines that hold operator rights.
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, data } from "../api/client";
import { platformCredentialsQuery, queryClient } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Dialog, Field, Stops } from "../parts/controls";
import { tell } from "../parts/receipt";
import { ErrorBanner } from "../parts/problem";
import { Day, Empty, Failed, Loading } from "../parts/states";
import { OperatorPage } from "./page";
import { ShownOnce } from "./shown-once";

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
        <Create
          onClose={() => setCreating(false)}
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
      {shown ? <ShownOnce title={t("credential.title", { name: shown.name })} credential={shown.credential} onClose={() => setShown(null)} /> : null}
    </OperatorPage>
  );
}

function Create(props: { onClose: () => void; onDone: (name: string, credential: string) => void }) {
  const { t } = useWords();
  const [name, setName] = useState("");
  const run = useMutation({
    mutationFn: () => data(api.POST("/api/v1/platform-credentials", { body: { name: name.trim() } })),
    onSuccess: (answer) => props.onDone(name.trim(), answer.credential),
  });
  return (
    <Dialog title={t("credential.create")} onClose={props.onClose} footer={<><Button onPress={props.onClose}>{t("cancel")}</Button><Button look="primary" busy={run.isPending} onPress={() => run.mutate()}>{t("credential.create")}</Button></>}>
      <ErrorBanner error={run.error} />
      <Field label={t("name")} value={name} onChange={setName} autoFocus />
    </Dialog>
  );
}
