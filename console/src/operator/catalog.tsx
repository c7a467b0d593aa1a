// The catalog in force, and what a new file would change before it is loaded.
import { useMutation, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { useState } from "react";
import { FileTrigger } from "react-aria-components";
import { ApiError, type Difference, api, data } from "../api/client";
import { catalogQuery, catalogSourceQuery, queryClient } from "../api/queries";
import { useWords } from "../i18n";
import { Banner, Button, Chip, Field } from "../parts/controls";
import { tell } from "../parts/receipt";
import { ErrorBanner } from "../parts/problem";
import { When } from "../parts/states";
import { OperatorPage } from "./page";

export function Catalog() {
  const words = useWords();
  const { t } = words;
  const catalog = useSuspenseQuery(catalogQuery).data;
  const stored = useQuery(catalogSourceQuery);
  const [draft, setDraft] = useState<string | null>(null);
  const source = draft ?? stored.data?.source ?? "";
  const check = useMutation({ mutationFn: (text: string) => data(api.POST("/api/v1/catalog/check", { body: { source: text } })) });
  const load = useMutation({
    mutationFn: () => data(api.PUT("/api/v1/catalog", { body: { source } })),
    async onSuccess(answer) {
      await Promise.all([queryClient.invalidateQueries({ queryKey: ["catalog"] }), queryClient.invalidateQueries({ queryKey: ["catalog-source"] })]);
      setDraft(null);
      check.reset();
      tell(t("catalog.done", { number: answer.number }));
    },
  });
  const failure = check.error ?? load.error;
  const problems = failure instanceof ApiError && Array.isArray(failure.extra["problems"]) ? (failure.extra["problems"] as unknown[]) : [];
  return (
    <OperatorPage title={t("operator.catalog")} lead={t("operator.catalog.lead")}>
      <div className="kinds">
        {catalog.kinds.map((kind) => (
          <section className="card pad" key={kind.id} aria-label={words.label(kind.label)}>
            <h2>{words.label(kind.label)} <span className="faint mono">{kind.code}</span></h2>
            <dl className="kv">
              <div><dt>{t("catalog.versions")}</dt><dd>{kind.versions.map((row) => row.number).join(", ")}</dd></div>
              <div><dt>{t("scopes.categories")}</dt><dd>{kind.categories.filter((row) => !row.management).length}</dd></div>
              <div><dt>{t("apiScopes")}</dt><dd>{kind.categories.filter((row) => !row.management).reduce((sum, row) => sum + row.scopes.length, 0)}</dd></div>
              <div><dt>{t("roles")}</dt><dd>{kind.roles.length}</dd></div>
              <div><dt>{t("catalog.page")}</dt><dd>{words.label(kind.page_label)}</dd></div>
            </dl>
          </section>
        ))}
      </div>
      <section className="card pad stack">
        <div className="head tight">
          <div>
            <h2>{t("catalog.file")}</h2>
            {stored.data ? <p className="help">{t("catalog.number", { number: stored.data.number })} · <When moment={stored.data.loaded_at} /></p> : null}
          </div>
          <FileTrigger
            acceptedFileTypes={[".toml", "application/toml", "text/plain"]}
            onSelect={(files) => {
              const [file] = files ? [...files] : [];
              if (file) void file.text().then((text) => (setDraft(text), check.mutate(text)));
            }}
          >
            <Button icon="page">{t("catalog.choose")}</Button>
          </FileTrigger>
        </div>
        <ErrorBanner error={failure ?? stored.error} />
        {problems.length > 0 ? <ul className="problems">{problems.map((problem, index) => <li key={index} className="mono">{typeof problem === "string" ? problem : JSON.stringify(problem)}</li>)}</ul> : null}
        <Field label={t("catalog.source")} value={source} onChange={(text) => (setDraft(text), check.reset())} lines={16} mono />
        {check.data ? <Differences rows={check.data.differences} /> : null}
        <div className="actions">
          <Button busy={check.isPending} onPress={() => check.mutate(source)}>{t("catalog.preview")}</Button>
          <Button look="primary" busy={load.isPending} isDisabled={!check.data || check.data.differences.length === 0} onPress={() => load.mutate()}>{t("catalog.load")}</Button>
          {draft !== null ? <Button look="quiet" onPress={() => (setDraft(null), check.reset())}>{t("catalog.undo")}</Button> : null}
        </div>
        {check.data ? null : <p className="help">{t("catalog.first")}</p>}
      </section>
    </OperatorPage>
  );
}

function Differences({ rows }: { rows: Difference[] }) {
  const { t } = useWords();
  if (rows.length === 0) return <Banner tone="ok" icon="check">{t("catalog.same")}</Banner>;
  return (
    <div className="stack tight">
      <h3>{t("catalog.changes", { count: rows.length })}</h3>
      <ul className="rows inset">
        {rows.map((row, index) => (
          <li key={index}>
            <span className="row-main"><b className="mono">{row.id}</b><span className="sub">{row.sentence}</span></span>
            <span className="row-fact"><Chip tone={row.fate === "removed" || row.fate === "retired" ? "danger" : row.fate === "added" ? "enabled" : "line"}>{row.fate}</Chip></span>
          </li>
        ))}
      </ul>
    </div>
  );
}
