"""来源登记 Every source of tracks there is: each module here is one, found by being here (T1)."""
