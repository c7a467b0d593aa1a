//! What is on its way to people and machines, as an account and as operators see it, and trying one again by hand.

use countersign_model::id::DeliveryId;
use countersign_store::{
    Attempt, Conflict, Delivery, DeliveryFilter, DeliveryState, Page, PageAsk, Standing, Write,
};
use serde_json::{Value, json};

use crate::{
    app::App,
    caller::Deed,
    error::{Error, Kind},
    rights::{Granted, Operator, RetryDeliveries, ViewAudit},
};

/// The audit action of a retry.
const RETRY: &str = "delivery.retry";

/// Deliveries of the account, newest first.
pub async fn list_of_account(
    app: &App,
    granted: &Granted<ViewAudit>,
    filter: &DeliveryFilter,
    page: &PageAsk,
) -> Result<Page<Delivery>, Error> {
    Ok(app.store.within(granted.account.id).deliveries(filter, page).await?)
}

/// Deliveries of the platform, newest first.
pub async fn list(
    app: &App,
    _: &Operator,
    filter: &DeliveryFilter,
    page: &PageAsk,
) -> Result<Page<Delivery>, Error> {
    Ok(app.store.deliveries(filter, page).await?)
}

/// A delivery of the account, and its tries, newest first.
pub async fn get_of_account(
    app: &App,
    granted: &Granted<ViewAudit>,
    id: DeliveryId,
) -> Result<(Delivery, Vec<Attempt>), Error> {
    let delivery = app.store.within(granted.account.id).delivery(id).await?.ok_or_else(Error::not_found)?;
    let attempts = app.store.attempts(&delivery).await?;
    Ok((delivery, attempts))
}

/// A delivery, and its tries, newest first.
pub async fn get(app: &App, _: &Operator, id: DeliveryId) -> Result<(Delivery, Vec<Attempt>), Error> {
    let delivery = app.store.delivery(id).await?.ok_or_else(Error::not_found)?;
    let attempts = app.store.attempts(&delivery).await?;
    Ok((delivery, attempts))
}

/// How the channels stand that have anything waiting or given up.
pub async fn standing(app: &App, _: &Operator) -> Result<Vec<Standing>, Error> {
    Ok(app.store.outbox_standing().await?)
}

/// Has a delivery of the account tried at once, and one that was given up as often as a new one.
pub async fn retry_of_account(
    app: &App,
    granted: &Granted<RetryDeliveries>,
    id: DeliveryId,
) -> Result<Delivery, Error> {
    let within = app.store.within(granted.account.id);
    let delivery = within.delivery(id).await?.ok_or_else(Error::not_found)?;
    refuse_pointless(&delivery)?;
    let write = Write::new(granted.audit(app, deed(&delivery)));
    put(app, write.retry_delivery(id, Some(granted.account.id))).await?;
    within.delivery(id).await?.ok_or_else(Error::not_found)
}

/// The same, for any delivery.
pub async fn retry(app: &App, operator: &Operator, id: DeliveryId) -> Result<Delivery, Error> {
    let delivery = app.store.delivery(id).await?.ok_or_else(Error::not_found)?;
    refuse_pointless(&delivery)?;
    let write = Write::new(operator.audit(app, delivery.account, deed(&delivery)));
    put(app, write.retry_delivery(id, None)).await?;
    app.store.delivery(id).await?.ok_or_else(Error::not_found)
}

fn refuse_pointless(delivery: &Delivery) -> Result<(), Error> {
    let detail = match delivery.state {
        DeliveryState::Waiting | DeliveryState::Dead => return Ok(()),
        DeliveryState::Sent => "It was delivered; there is nothing to try again.",
        DeliveryState::Held => {
            "The address has not confirmed itself and is not told anything; ask it again to confirm."
        }
    };
    Err(Error::new(Kind::Conflict, "delivery_not_retriable", detail).with("state", delivery.state.as_str()))
}

/// Between the look and the write the worker may have delivered it.
async fn put(app: &App, write: Write) -> Result<(), Error> {
    let stale: Error = Conflict::Stale.into();
    match app.commit(write).await {
        Err(error) if error.code == stale.code => Err(Error::new(
            Kind::Conflict,
            "delivery_not_retriable",
            "It was delivered in the meantime; there is nothing to try again.",
        )),
        done => done.map(|_| ()),
    }
}

fn deed(delivery: &Delivery) -> Deed<'_> {
    Deed {
        action: RETRY,
        subject: delivery.id.to_string(),
        subject_label: delivery.event.code(),
        before: json!({ "state": delivery.state.as_str(), "tries": delivery.tries }),
        after: Value::Null,
    }
}
