"""References are read from names in the styles in which databases are written."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st
from tests.tables import each_row

from troth.detect import InferredReference, infer_references
from troth.stores import Column, ColumnKind, Schema, TableSchema

K = ColumnKind
_KINDS = {"i": K.INTEGER, "u": K.UUID, "t": K.TEXT, "n": K.NUMBER}


def _schema(text: str) -> Schema:
    """Tables as ``name*key: column column:kind``; a column without a kind is an integer, and the first key is `id`."""
    tables = {}
    for line in text.strip().splitlines():
        head, _, body = line.strip().partition(":")
        name, _, key = head.partition("*")
        columns = [Column(it.partition(":")[0], _KINDS[it.partition(":")[2] or "i"], "") for it in body.split()]
        keys = tuple(key.split(",")) if key else ("id",)
        known = {column.name for column in columns}
        own = [Column(it, K.INTEGER, "integer") for it in keys if it not in known]
        tables[name] = TableSchema(name, (*own, *columns), key=keys)
    return Schema("sqlite", tables)


def _told(found: list[InferredReference]) -> dict[str, str]:
    return {f"{it.table}.{','.join(it.columns)}": f"{it.to_table}.{','.join(it.to_columns)}" for it in found}


@each_row(
    ("tables", "told"),
    [
        ("customer:\norders: customer_id", {"orders.customer_id": "customer.id"}),
        ("customers:\norders: customerId", {"orders.customerId": "customers.id"}),
        ("Category*CategoryID:\nItem*ItemID: CategoryID", {"Item.CategoryID": "Category.CategoryID"}),
        ("tblCustomer*CustomerID:\ntblOrder*OrderID: CustomerID", {"tblOrder.CustomerID": "tblCustomer.CustomerID"}),
        ("TJobs*intJobID:\nTTools*intToolID: intJobID", {"TTools.intJobID": "TJobs.intJobID"}),
        ("categories:\nbooks: category_id", {"books.category_id": "categories.id"}),
        ("people:\nvisits: person_id", {"visits.person_id": "people.id"}),
        ("Kunde*KundeId:\nBestellung*BestellungId: fk_KundeId", {"Bestellung.fk_KundeId": "Kunde.KundeId"}),
        ("kunden*kunden_id:\nvertraege*vertrag_id: kunden_id", {"vertraege.kunden_id": "kunden.kunden_id"}),
        ("salones:\ncomisiones: id_salon", {"comisiones.id_salon": "salones.id"}),
        ("lieux:\nannonces: lieu_id", {"annonces.lieu_id": "lieux.id"}),
        ("account:\norders: billing_account_id", {"orders.billing_account_id": "account.id"}),
        ("account:\norders: account_uuid", {"orders.account_uuid": "account.id"}),
    ],
)
def test_a_name_that_says_the_table_points_to_it(tables: str, told: dict[str, str]) -> None:
    assert _told(infer_references(_schema(tables))) == told


def test_the_application_in_front_of_names_says_nothing() -> None:
    schema = _schema(
        """
        shop_product:
        shop_order: customer_id
        shop_customer:
        shop_orderline: order_id product_id
        """
    )
    assert _told(infer_references(schema)) == {
        "shop_order.customer_id": "shop_customer.id",
        "shop_orderline.order_id": "shop_order.id",
        "shop_orderline.product_id": "shop_product.id",
    }


def test_the_table_beside_comes_before_one_that_is_called_alike() -> None:
    schema = _schema("blog_post:\nblog_comment: post_id\nforum_post:\nforum_comment: post_id")
    assert _told(infer_references(schema)) == {
        "blog_comment.post_id": "blog_post.id",
        "forum_comment.post_id": "forum_post.id",
    }


def test_two_that_could_be_meant_alike_are_left() -> None:
    assert infer_references(_schema("x_post:\ny_post:\ncomment: post_id")) == []


def test_a_context_completes_a_name() -> None:
    schema = _schema("order_status:\norder: status_id\nstatus_report: status")
    assert _told(infer_references(schema)) == {"order.status_id": "order_status.id"}


def test_a_context_completes_a_name_behind_a_role() -> None:
    schema = _schema("page: latest_revision_id\npage_revision: page_id\nstep_link: output_step_id\nflow_step:")
    assert _told(infer_references(schema))["page.latest_revision_id"] == "page_revision.id"
    schema = _schema("app_itemcategory:\napp_metacategory:\napp_itemaddon: addon_category_id parent_addon_id")
    assert _told(infer_references(schema)) == {
        "app_itemaddon.addon_category_id": "app_itemcategory.id",
        "app_itemaddon.parent_addon_id": "app_itemaddon.id",
    }


def test_a_name_may_be_cut_short() -> None:
    schema = _schema("authentication_log:\noutcome: auth_log_id\nlogin: auth_id")
    assert _told(infer_references(schema)) == {"outcome.auth_log_id": "authentication_log.id"}


def test_parts_of_a_row_that_have_its_key_point_to_it() -> None:
    parts = "".join(f"{it}*user_id: note:t\n" for it in ("password", "nickname", "demographics", "photo"))
    schema = _schema(f"users*user_id: email:t\n{parts}")
    assert set(_told(infer_references(schema)).values()) == {"users.user_id"}


def test_nothing_points_to_a_copy_that_keeps_history() -> None:
    schema = _schema("app_plan: n:t\nold_plan*history_id: n:t\nold_plan_user*history_id: plan_id")
    assert _told(infer_references(schema)) == {"old_plan_user.plan_id": "app_plan.id"}


def test_of_two_a_number_stands_behind_the_mark() -> None:
    schema = _schema("concept:\nrelation: concept_id_1 concept_id_2")
    assert set(_told(infer_references(schema))) == {"relation.concept_id_1", "relation.concept_id_2"}


def test_a_code_that_is_called_like_a_table_keeps_its_word() -> None:
    schema = _schema("source_code: text:t\nsource: url:t\nflaw: source_code_id")
    assert _told(infer_references(schema)) == {"flaw.source_code_id": "source_code.id"}


def test_two_words_that_are_a_table_need_no_mark() -> None:
    schema = _schema("tax_class: name:t\nproduct: tax_class\nprice: tax_class:t\ntax: class_id")
    assert _told(infer_references(schema))["product.tax_class"] == "tax_class.id"
    schema = _schema("order: status price:n\norder_status: name:t\norder_price: total:n")
    assert _told(infer_references(schema)) == {"order.status": "order_status.id"}


def test_who_did_something_is_who_signs_in() -> None:
    columns = "created_by_id author_id approved_by update_uid affected_user user_invited_id user_from_id"
    schema = _schema(f"user: email:t password:t\npage: {columns}\nauthorship: note:t")
    assert _told(infer_references(schema)) == {f"page.{column}": "user.id" for column in columns.split()}


def test_who_leads_or_serves_is_of_the_staff() -> None:
    schema = _schema("employee: reports_to name:t\ncustomer: support_rep_id\ndepartment: manager_id\nuser: password:t")
    assert _told(infer_references(schema)) == {
        "employee.reports_to": "employee.id",
        "customer.support_rep_id": "employee.id",
        "department.manager_id": "employee.id",
    }


def test_a_row_may_name_another_of_its_table() -> None:
    schema = _schema("node: parent_id previous_node_id\npart: parent_box_id")
    assert _told(infer_references(schema)) == {"node.parent_id": "node.id", "node.previous_node_id": "node.id"}


def test_a_part_names_what_it_is_a_part_of() -> None:
    assert _told(infer_references(_schema("product:\nproduct_translation: master_id language:t"))) == {
        "product_translation.master_id": "product.id"
    }


@each_row(
    "tables",
    [
        "user: email:t\nphoto: owner_id owner_type:t",  # the other column says of which table
        "client: title:t\nsetting: user_id",  # nobody signs in
        "user: password:t\naccount: account_id:i provider:t",  # its own number, given out elsewhere
        "user: password:t\npaper: update_id affected_users",
        "mail*t: text:t\nlog: t:t",
        "genotype:\ngenotypeprop: type_id\ncolour:",
        "client: key_hash:t\nsetting: user_id",
        "rejected_username*username: username:t\nlog: username:t",
        "customer*id: id:t\npayment: stripe_customer_id:t",  # somebody else's key
        "order: note:t\nmenu: order",  # a rank
        "product: name:t\nbox: product:t product_count product_price:n",
        "event: event_uid\nuser: name:t",
        "country: code:t\naddress: country:t",
        "token: token:t\nsession: token:t",
        "customer:\norders: customer_id:u",  # of another kind
        "customer:\norders: customer_email:t",
    ],
)
def test_what_only_looks_like_a_reference_is_left(tables: str) -> None:
    assert infer_references(_schema(tables)) == []


def test_a_key_of_the_kind_leaves_open_whose_the_other_is() -> None:
    schema = _schema("content_type: model:t\nuser: password:t\nseat: member_id member_type_id")
    assert _told(infer_references(schema)) == {"seat.member_type_id": "content_type.id"}


def test_words_that_are_written_together_are_read_apart() -> None:
    schema = _schema("app_appuser: password:t username:t\napp_loan: createdby_id submitted_userid\napp_fund: name:t")
    assert _told(infer_references(schema)) == {
        "app_loan.createdby_id": "app_appuser.id",
        "app_loan.submitted_userid": "app_appuser.id",
    }


def test_a_table_of_sums_is_not_the_one_of_who_signs_in() -> None:
    schema = _schema("gl_account: balance:n\ngl_entry: maker_id checker_id\nsysuser: login:t password:t\ngl_year: of:t")
    assert set(_told(infer_references(schema)).values()) == {"sysuser.id"}


def test_a_plural_of_a_vowel_and_y_is_one_too() -> None:
    assert _told(infer_references(_schema("surveys:\nkeys:\nanswers: survey_id"))) == {
        "answers.survey_id": "surveys.id"
    }


def test_a_name_may_leave_words_out() -> None:
    schema = _schema("loan_processing_strategy:\nloan: loan_strategy_id")
    assert _told(infer_references(schema)) == {"loan.loan_strategy_id": "loan_processing_strategy.id"}


def test_a_name_may_be_completed_from_behind() -> None:
    schema = _schema("product_loan:\nproduct_card:\nloan: product_id")
    assert _told(infer_references(schema)) == {"loan.product_id": "product_loan.id"}


def test_what_a_row_answers_or_copies_is_another_of_its_table() -> None:
    schema = _schema("posts: in_reply_to_id copy_of_id reversal_id report_id")
    assert set(_told(infer_references(schema))) == {"posts.in_reply_to_id", "posts.copy_of_id", "posts.reversal_id"}


def test_behind_its_mark_a_name_may_say_what_somebody_did() -> None:
    schema = _schema("app_user*rowid: login:t pass:t\napp_bill*rowid: fk_user_creat fk_user_valid\napp_note*rowid:")
    assert _told(infer_references(schema)) == {
        "app_bill.fk_user_creat": "app_user.rowid",
        "app_bill.fk_user_valid": "app_user.rowid",
    }


def test_a_version_of_a_row_is_found_by_both() -> None:
    schema = _schema(
        """
        nodes*node_id,version: node_id version
        ways*way_id,version: way_id version
        way_tags*way_id,version,k: way_id version k:t
        way_nodes*way_id,version,place: way_id version place node_id
        """
    )
    assert _told(infer_references(schema)) == {
        "way_nodes.way_id,version": "ways.way_id,version",
        "way_tags.way_id,version": "ways.way_id,version",
    }


def test_a_key_that_begins_as_its_table_is_that_tables() -> None:
    schema = _schema("branches*branchcode: branchcode:t name:t\nvisit: branchcode:t")
    assert _told(infer_references(schema)) == {"visit.branchcode": "branches.branchcode"}


def test_an_entity_is_what_stands_in_front_of_it() -> None:
    parts = "".join(f"user_{it}: user_id\n" for it in ("link", "session", "attribute"))
    assert set(_told(infer_references(_schema(f"user_entity: email:t\n{parts}"))).values()) == {"user_entity.id"}


def test_a_text_with_the_mark_of_a_key_may_be_the_end_of_a_name() -> None:
    schema = _schema("shop_role*id: id:t\nscope: role_id:t role:t")
    assert _told(infer_references(schema)) == {"scope.role_id": "shop_role.id"}


def test_the_types_of_a_thing_come_before_types_of_all() -> None:
    columns = "note:t created_by_id updated_by_id"
    types = f"ticket_article_types: {columns}\nstate_types:\ntype_lookups: name:t"
    schema = _schema(f"tickets:\nticket_articles: type_id\n{types}\nuser:")
    assert _told(infer_references(schema))["ticket_articles.type_id"] == "ticket_article_types.id"


def test_of_two_the_one_that_is_called_more_like_the_own_table_is_meant() -> None:
    schema = _schema("app_jobsection:\napp_membershipsection:\napp_membershippart: section_id")
    assert _told(infer_references(schema)) == {"app_membershippart.section_id": "app_membershipsection.id"}


def test_names_in_one_word_are_those_that_are_written_apart() -> None:
    schema = _schema("app_salesunit:\napp_runlog:\napp_good: sales_unit_id run_log_id")
    assert _told(infer_references(schema)) == {
        "app_good.run_log_id": "app_runlog.id",
        "app_good.sales_unit_id": "app_salesunit.id",
    }


def test_initials_are_those_of_the_whole_name_too() -> None:
    schema = _schema("app_page:\napp_tag:\napp_data_set:\njob: ads_id")
    assert _told(infer_references(schema)) == {"job.ads_id": "app_data_set.id"}


def test_an_account_that_is_named_plainly_is_one_of_this_application() -> None:
    schema = _schema("accounts: uri:t\nusers: password:t\nx_a:\nx_b:\nx_follow: asking_account_id")
    assert _told(infer_references(schema)) == {"x_follow.asking_account_id": "accounts.id"}


def test_a_key_that_stands_for_another_row_is_a_reference() -> None:
    schema = _schema("employee*pnr: name:t salary:n\ndoctor*pnr: field:t")
    assert _told(infer_references(schema)) == {"doctor.pnr": "employee.pnr"}


def test_tables_that_call_references_by_the_table_are_read_so() -> None:
    schema = _schema("party: name:t\naddress: party\nsale: party\nline: sale quantity")
    assert _told(infer_references(schema)) == {
        "address.party": "party.id",
        "line.sale": "sale.id",
        "sale.party": "party.id",
    }


def test_a_repeated_key_of_several_columns_is_one_reference() -> None:
    schema = _schema(
        """
        course:
        plan*course_id,plan_nr: course_id plan_nr title:t
        enrolment: course_id plan_nr since:t
        """
    )
    assert _told(infer_references(schema)) == {
        "enrolment.course_id,plan_nr": "plan.course_id,plan_nr",
        "plan.course_id": "course.id",
    }


def test_tables_that_join_two_others_are_pointed_to_by_nobody() -> None:
    schema = _schema("user:\ngroup:\nuser_group*user_id,group_id: user_id group_id\nlog: user_id group_id")
    assert _told(infer_references(schema)) == {
        "log.group_id": "group.id",
        "log.user_id": "user.id",
        "user_group.group_id": "group.id",
        "user_group.user_id": "user.id",
    }


def test_reasons_say_what_was_read() -> None:
    [found] = infer_references(_schema("customer:\norders: customer_id"))
    assert found.score > 0.9
    assert found.why == ("it is called after that table",)


_HOSTILE = [
    "",
    "_",
    "id",
    "ID" * 5_000,
    "a_" * 50_000,
    "x" * 100_000,
    "\x00\u202e",
    "é" * 999,
    "__",
    "1",
    "fk_",
    "IdId",
    "_id",
]


def test_hostile_names_are_read_in_bounded_time() -> None:
    columns = tuple(Column(f"{name}{n}", K.INTEGER, "integer") for n in range(20) for name in _HOSTILE)
    tables = {f"{name}{n}": TableSchema(f"{name}{n}", columns, key=("id0",)) for n in range(3) for name in _HOSTILE}
    begin = time.process_time()
    infer_references(Schema("sqlite", tables))
    assert time.process_time() - begin < 20


@given(st.lists(st.tuples(st.text(max_size=12), st.lists(st.text(max_size=12), max_size=5)), max_size=6))
def test_any_names_give_the_same_references_again(named: list[tuple[str, list[str]]]) -> None:
    tables = {
        name: TableSchema(name, tuple(Column(it, K.INTEGER, "") for it in dict.fromkeys(columns)), key=(*columns[:1],))
        for name, columns in named
    }
    found = infer_references(Schema("sqlite", tables))
    assert found == infer_references(Schema("sqlite", tables))
    assert all(it.table in tables and it.to_table in tables and 0.5 <= it.score <= 1 for it in found)
