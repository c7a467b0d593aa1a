// Which keys are in use, what still needs older ones, and rotating one. A key itself is never shown.
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { Checkbox } from "react-aria-components";
import { type Keys, api, data } from "../api/client";
import { keysQuery, queryClient } from "../api/queries";
import { useWords } from "../i18n";
import { Button, Chip, Dialog, Stops, Tick, type Tone } from "../parts/controls";
import { ErrorBanner } from "../parts/problem";
import { tell } from "../parts/receipt";
import { Day, Failed, Loading, When } from "../parts/states";
import { OperatorPage } from "./page";

const ROTATED = ["reveal_root", "data_keys", "pepper", "verify_root"] as const;
type Rotated = (typeof ROTATED)[number];
const TONE: Record<Keys["generations"][number]["state"], Tone> = { current: "enabled", former: "line", layered: "expiring", retired: "disabled" };

export function KeysPage() {
  const { t } = useWords();
  const found = useQuery(keysQuery);
  const [ask, setAsk] = useState<Rotated | null>(null);
  const keys = found.data;
  return (
    <OperatorPage title={t("operator.keys")} lead={t("operator.keys.lead")}>
      {found.isPending ? <Loading height={56} /> : null}
      {found.isError ? <Failed error={found.error} retry={() => void found.refetch()} /> : null}
      {keys ? (
        <>
          {keys.rotation ? <Rotation rotation={keys.rotation} /> : null}
          <ul className="card rows" aria-label={t("operator.keys")}>
            {ROTATED.map((key) => (
              <li key={key}>
                <span className="row-main"><b>{t(`keys.${key}`)}</b><span className="sub">{t(`keys.${key}.what`)}</span></span>
                <span className="row-fact">
                  {keys.generations.filter((row) => row.key === key).map((row) => (
                    <Chip key={row.generation} tone={TONE[row.state]}>{t("pair.dot", { one: t("keys.generation", { number: row.generation }), other: t(`keys.${row.state}`) })}</Chip>
                  ))}
                </span>
                <span className="row-fact faint">{made(keys, key)}</span>
                <span className="row-acts"><Button small icon="reset" isDisabled={keys.rotation?.running ?? false} aria-label={t("keys.rotate.label", { name: t(`keys.${key}`) })} onPress={() => setAsk(key)}>{t("keys.rotate")}</Button></span>
              </li>
            ))}
          </ul>
          <Files title={t("keys.files")} what={t("keys.files.what")} files={keys.files} />
          {keys.spare_files.length > 0 ? <Files title={t("keys.spare")} what={t("keys.spare.what")} files={keys.spare_files} /> : null}
          {keys.layered_count > 0 ? <Layered keys={keys} /> : null}
        </>
      ) : null}
      {ask ? <Rotate name={ask} layered={keys?.layered_count ?? 0} onClose={() => setAsk(null)} /> : null}
    </OperatorPage>
  );
}

function made(keys: Keys, key: Rotated) {
  const newest = keys.generations.filter((row) => row.key === key).at(-1);
  return newest ? <Day moment={newest.made_at} /> : null;
}

function Rotation({ rotation }: { rotation: NonNullable<Keys["rotation"]> }) {
  const words = useWords();
  const { t } = words;
  const name = t(`keys.${rotation.key}`);
  return (
    <section className="card pad above" aria-label={t("keys.rotation")}>
      <h2>{rotation.running ? t("keys.rotation.running", { name }) : t("pair", { name: t("keys.rotation"), value: name })}</h2>
      <dl className="kv">
        <div><dt>{t("keys.rotation.by", { when: words.relative(rotation.started_at), name: rotation.started_by })}</dt><dd>{t("keys.rotation.step", { finished: words.number(rotation.finished), total: words.number(rotation.total) })}</dd></div>
        {rotation.ended_at ? <div><dt>{t("keys.rotation.ended")}</dt><dd><When moment={rotation.ended_at} /></dd></div> : null}
      </dl>
      {rotation.running ? <progress max={Math.max(1, rotation.total)} value={rotation.finished} aria-label={t("keys.rotation.running", { name })} /> : null}
    </section>
  );
}

function Files({ title, what, files }: { title: string; what: string; files: string[] }) {
  return (
    <section className="block">
      <div><h2>{title}</h2><p className="help">{what}</p></div>
      <ul className="card rows">{files.map((file) => <li key={file}><span className="row-main mono">{file}</span></li>)}</ul>
    </section>
  );
}

function Layered({ keys }: { keys: Keys }) {
  const { t } = useWords();
  return (
    <section className="block">
      <div><h2>{t("keys.layered.tokens")}</h2><p className="help">{t("keys.layered.what", { count: keys.layered_count })}</p></div>
      <ul className="card rows">
        {keys.layered_tokens.map((row) => (
          <li key={row.token}><span className="row-main"><Link className="name" to="/accounts/$account/tokens/$token" params={{ account: row.account, token: row.token }}>{row.name}</Link><span className="sub mono">{row.sid}</span></span></li>
        ))}
      </ul>
    </section>
  );
}

function Rotate({ name, layered, onClose }: { name: Rotated; layered: number; onClose: () => void }) {
  const { t } = useWords();
  const [drop, setDrop] = useState(false);
  const run = useMutation({
    mutationFn: () => data(api.POST("/api/v1/keys/rotations", { body: { key: name, ...(drop ? { drop_layered: true } : {}) } })),
    async onSuccess() {
      await queryClient.invalidateQueries({ queryKey: keysQuery.queryKey });
      tell(t("keys.rotate.started"));
      onClose();
    },
  });
  return (
    <Dialog title={t("keys.rotate.ask", { name: t(`keys.${name}`) })} alert onClose={onClose} footer={<><Button onPress={onClose} autoFocus>{t("cancel")}</Button><Button look={drop ? "danger-fill" : "primary"} busy={run.isPending} onPress={() => run.mutate()}>{t("keys.rotate")}</Button></>}>
      <ErrorBanner error={run.error} />
      <Stops items={[{ icon: "key", text: t("keys.rotate.what"), sub: t("keys.rotate.sub") }]} />
      {layered > 0 && name === "pepper" ? <Checkbox className="check" isSelected={drop} onChange={setDrop}><Tick /><span>{t("keys.rotate.drop")}</span></Checkbox> : null}
    </Dialog>
  );
}
