"""True whoever trades: rules, calendar, bars, history."""
