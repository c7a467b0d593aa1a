//! The last probe of each gateway, as somebody stored it. One row a gateway; it goes with the gateway.

use countersign_model::{id::GatewayId, time::Timestamp};

use crate::{Conflict, Error, Store, db::Query, value::Row, write::Write};

pub(crate) const GET: &str = "select * from gateway_probes where gateway_id = $1";
pub(crate) const PUT: &str = "
insert into gateway_probes (gateway_id, at, report) select id, $2, $3 from gateways where id = $1
on conflict (gateway_id) do update set at = excluded.at, report = excluded.report";

/// What the last probe of a gateway found.
#[derive(Debug, Clone)]
pub struct GatewayProbe {
    /// Of which gateway.
    pub gateway_id: GatewayId,
    /// When it was stored.
    pub at: Timestamp,
    /// The report, as JSON the server wrote.
    pub report: String,
}

impl GatewayProbe {
    fn read(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            gateway_id: row.parsed("gateway_id")?,
            at: row.moment("at")?,
            report: row.text("report")?.to_owned(),
        })
    }
}

impl Store {
    /// The last probe of a gateway.
    pub async fn gateway_probe(&self, gateway: GatewayId) -> Result<Option<GatewayProbe>, Error> {
        let rows = self.db().rows(Query::new(GET, vec![gateway.into()]), GatewayProbe::read).await?;
        Ok(rows.into_iter().next())
    }
}

impl Write {
    /// Keeps a probe in place of the one before. Conflict: `Stale` when the gateway is gone.
    #[must_use]
    pub fn put_gateway_probe(self, probe: &GatewayProbe) -> Self {
        let values = vec![probe.gateway_id.into(), probe.at.into(), probe.report.as_str().into()];
        self.giving().expecting(PUT, values, Conflict::Stale)
    }
}
