/* request_seeds.c - real requests of every action that jobqmock serves, each with what it needs
 * before it, for fuzz_request.c. */
#include "cost_driver.h"

#define NEXT "\x1e"
#define POST(headers, body)                                                              \
    "POST / HTTP/1.1\r\nHost: localhost\r\n" headers                                     \
    "Content-Length: $C..\r\n\r\n" body NEXT
#define JSON(action, body)                                                               \
    POST("Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS." action   \
         "\r\n",                                                                         \
         body)
#define FORM(body) POST("Content-Type: application/x-www-form-urlencoded\r\n", body)
#define SQS(body) FORM("Version=2012-11-05&Action=" body)
#define SDB(body) FORM("Version=2009-04-15&Action=" body)
#define EC2(body) FORM("Version=2016-11-15&Action=" body)
#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n" NEXT
#define CONTROL(path, body)                                                              \
    "POST /_jobq/" path                                                                  \
    " HTTP/1.1\r\nHost: localhost\r\nContent-Length: $C..\r\n\r\n" body NEXT
#define WITH_TOKEN(path)                                                                 \
    "GET " path                                                                          \
    " HTTP/1.1\r\nHost: localhost\r\nX-aws-ec2-metadata-token: $M..\r\n\r\n" NEXT

#define U "\"QueueUrl\":\"http://localhost/123456789012/q\""
#define F "\"QueueUrl\":\"http://localhost/123456789012/f.fifo\""
#define QU "&QueueUrl=http%3A%2F%2Flocalhost%2F123456789012%2Fq"
#define ARN "arn:aws:sqs:us-east-1:123456789012:"
#define MAKE JSON("CreateQueue", "{\"QueueName\":\"q\"}")
#define SENT JSON("SendMessage", "{" U ",\"MessageBody\":\"a<&\\u00fc\"}")
#define TAKEN                                                                            \
    JSON("ReceiveMessage",                                                               \
         "{" U ",\"MaxNumberOfMessages\":10,\"AttributeNames\":[\"All\"],"               \
         "\"MessageAttributeNames\":[\"All\"]}")
#define QMAKE SQS("CreateQueue&QueueName=q")
#define ATTRIBUTES                                                                       \
    "\"MessageAttributes\":{\"k\":{\"DataType\":\"String\",\"StringValue\":\"v\"},"      \
    "\"n\":{\"DataType\":\"Number.int\",\"StringValue\":\"-1.5\"},"                      \
    "\"b\":{\"DataType\":\"Binary\",\"BinaryValue\":\"AAEC\"}}"
#define DOMAIN SDB("CreateDomain&DomainName=dom")
#define ITEMS                                                                            \
    SDB("BatchPutAttributes&DomainName=dom&Item.1.ItemName=a&Item.1.Attribute.1.Name=x"  \
        "&Item.1.Attribute.1.Value=1&Item.2.ItemName=b&Item.2.Attribute.1.Name=x"        \
        "&Item.2.Attribute.1.Value=2&Item.2.Attribute.2.Name=x&Item.2.Attribute.2."      \
        "Value=%01%26"                                                                   \
        "&Item.3.ItemName=c&Item.3.Attribute.1.Name=y&Item.3.Attribute.1.Value=%C3%BC")
#define LAUNCH                                                                           \
    EC2("RunInstances&ImageId=ami-0123456789abcdef0&InstanceType=c7g.large&MinCount=1"   \
        "&MaxCount=3&ClientToken=t&UserData=aGVsbG8%3D&TagSpecification.1.ResourceType=" \
        "instance"                                                                       \
        "&TagSpecification.1.Tag.1.Key=n&TagSpecification.1.Tag.1.Value=%3Cv%3E"         \
        "&InstanceMarketOptions.MarketType=spot&InstanceMarketOptions.SpotOptions."      \
        "MaxPrice=0.5"                                                                   \
        "&MetadataOptions.InstanceMetadataTags=enabled&IamInstanceProfile.Name=role"     \
        "&KeyName=k&SubnetId=subnet-1&SecurityGroupId.1=sg-1")
#define TOKEN                                                                            \
    "PUT /latest/api/token HTTP/1.1\r\nHost: localhost\r\n"                              \
    "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n" NEXT

/* clang-format off */
const char *const fuzz_seeds[] = {
    /* SQS in JSON */
    MAKE JSON("SendMessage", "{" U ",\"MessageBody\":\"b\",\"DelaySeconds\":3," ATTRIBUTES
        ",\"MessageSystemAttributes\":{\"AWSTraceHeader\":{\"DataType\":\"String\","
        "\"StringValue\":\"Root=1\"}},\"MessageGroupId\":\"g\"}")
        CONTROL("clock", "advance=5s") TAKEN
        JSON("ChangeMessageVisibility", "{" U ",\"ReceiptHandle\":\"$R..\",\"VisibilityTimeout\":7}")
        JSON("DeleteMessage", "{" U ",\"ReceiptHandle\":\"$R..\"}")
        JSON("DeleteMessage", "{" U ",\"ReceiptHandle\":\"$R.5\"}"),
    MAKE JSON("SendMessageBatch", "{" U ",\"Entries\":[{\"Id\":\"a\",\"MessageBody\":\"1\"},"
        "{\"Id\":\"b\",\"MessageBody\":\"\\u0001\"},{\"Id\":\"c\",\"MessageBody\":\"3\","
        "\"DelaySeconds\":901," ATTRIBUTES "}]}") TAKEN
        JSON("ChangeMessageVisibilityBatch", "{" U ",\"Entries\":[{\"Id\":\"a\","
        "\"ReceiptHandle\":\"$R..\",\"VisibilityTimeout\":0},{\"Id\":\"b\","
        "\"ReceiptHandle\":\"$R.x\",\"VisibilityTimeout\":43201}]}")
        JSON("DeleteMessageBatch", "{" U ",\"Entries\":[{\"Id\":\"a\",\"ReceiptHandle\":\"$R..\"},"
        "{\"Id\":\"b\",\"ReceiptHandle\":\"$R.c\"}]}"),
    JSON("CreateQueue", "{\"QueueName\":\"f.fifo\",\"Attributes\":{\"FifoQueue\":\"true\","
        "\"ContentBasedDeduplication\":\"true\",\"DeduplicationScope\":\"messageGroup\","
        "\"FifoThroughputLimit\":\"perMessageGroupId\"}}")
        JSON("SendMessage", "{" F ",\"MessageBody\":\"1\",\"MessageGroupId\":\"g\"}")
        JSON("SendMessage", "{" F ",\"MessageBody\":\"1\",\"MessageGroupId\":\"g\","
        "\"MessageDeduplicationId\":\"d\"}")
        JSON("ReceiveMessage", "{" F ",\"MaxNumberOfMessages\":10,\"ReceiveRequestAttemptId\":\"r\","
        "\"MessageSystemAttributeNames\":[\"SequenceNumber\",\"MessageGroupId\"]}")
        JSON("DeleteMessage", "{" F ",\"ReceiptHandle\":\"$R..\"}"),
    MAKE JSON("ReceiveMessage", "{" U ",\"WaitTimeSeconds\":20}") SENT TAKEN,
    MAKE JSON("SetQueueAttributes", "{" U ",\"Attributes\":{\"VisibilityTimeout\":\"5\","
        "\"DelaySeconds\":\"2\",\"MaximumMessageSize\":\"1024\",\"MessageRetentionPeriod\":\"60\","
        "\"ReceiveMessageWaitTimeSeconds\":\"1\",\"KmsMasterKeyId\":\"k\",\"Policy\":"
        "\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[]}\"}}")
        JSON("GetQueueAttributes", "{" U ",\"AttributeNames\":[\"All\"]}")
        JSON("GetQueueUrl", "{\"QueueName\":\"q\",\"QueueOwnerAWSAccountId\":\"123456789012\"}")
        JSON("TagQueue", "{" U ",\"Tags\":{\"a\":\"1\",\"b\":\"<\"}}")
        JSON("ListQueueTags", "{" U "}") JSON("UntagQueue", "{" U ",\"TagKeys\":[\"a\"]}")
        JSON("AddPermission", "{" U ",\"Label\":\"l\",\"AWSAccountIds\":[\"123456789012\"],"
        "\"Actions\":[\"SendMessage\",\"*\"]}")
        JSON("RemovePermission", "{" U ",\"Label\":\"l\"}") JSON("PurgeQueue", "{" U "}")
        JSON("DeleteQueue", "{" U "}"),
    MAKE JSON("CreateQueue", "{\"QueueName\":\"q2\"}") JSON("CreateQueue", "{\"QueueName\":\"q3\"}")
        JSON("ListQueues", "{\"QueueNamePrefix\":\"q\",\"MaxResults\":1}")
        JSON("ListQueues", "{\"MaxResults\":1,\"NextToken\":\"$N..\"}")
        JSON("ListQueues", "{\"MaxResults\":1,\"NextToken\":\"$N.3\"}"),
    JSON("CreateQueue", "{\"QueueName\":\"dead\"}")
        JSON("CreateQueue", "{\"QueueName\":\"q\",\"Attributes\":{\"RedrivePolicy\":"
        "\"{\\\"deadLetterTargetArn\\\":\\\"" ARN "dead\\\",\\\"maxReceiveCount\\\":1}\"}}")
        SENT SENT JSON("ReceiveMessage", "{" U ",\"VisibilityTimeout\":0,\"MaxNumberOfMessages\":10}")
        TAKEN JSON("ListDeadLetterSourceQueues", "{\"QueueUrl\":\"http://localhost/123456789012/dead\","
        "\"MaxResults\":1}")
        JSON("StartMessageMoveTask", "{\"SourceArn\":\"" ARN "dead\",\"DestinationArn\":\"" ARN "q\","
        "\"MaxNumberOfMessagesPerSecond\":1}")
        JSON("ListMessageMoveTasks", "{\"SourceArn\":\"" ARN "dead\",\"MaxResults\":10}")
        JSON("CancelMessageMoveTask", "{\"TaskHandle\":\"$T..\"}")
        JSON("CancelMessageMoveTask", "{\"TaskHandle\":\"$T.7\"}"),
    /* SQS in Query */
    QMAKE SQS("SendMessage&MessageBody=a%20b%26&DelaySeconds=0&MessageAttribute.1.Name=k"
        "&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v"
        "&MessageAttribute.2.Name=b&MessageAttribute.2.Value.DataType=Binary"
        "&MessageAttribute.2.Value.BinaryValue=AAEC" QU)
        SQS("ReceiveMessage&MaxNumberOfMessages=10&VisibilityTimeout=9&WaitTimeSeconds=1"
        "&AttributeName.1=All&MessageAttributeName.1=k" QU)
        SQS("ChangeMessageVisibility&VisibilityTimeout=7&ReceiptHandle=$Rq." QU)
        SQS("DeleteMessage&ReceiptHandle=$Rq." QU) SQS("DeleteMessage&ReceiptHandle=$Rq4" QU),
    QMAKE SQS("SendMessageBatch&SendMessageBatchRequestEntry.1.Id=a"
        "&SendMessageBatchRequestEntry.1.MessageBody=1&SendMessageBatchRequestEntry.2.Id=b"
        "&SendMessageBatchRequestEntry.2.MessageBody=%01" QU)
        SQS("ReceiveMessage&MaxNumberOfMessages=10" QU)
        SQS("ChangeMessageVisibilityBatch&ChangeMessageVisibilityBatchRequestEntry.1.Id=a"
        "&ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=$Rq."
        "&ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout=0" QU)
        SQS("DeleteMessageBatch&DeleteMessageBatchRequestEntry.1.Id=a"
        "&DeleteMessageBatchRequestEntry.1.ReceiptHandle=$Rq."
        "&DeleteMessageBatchRequestEntry.2.Id=b&DeleteMessageBatchRequestEntry.2.ReceiptHandle=x" QU),
    QMAKE SQS("SetQueueAttributes&Attribute.1.Name=VisibilityTimeout&Attribute.1.Value=5" QU)
        SQS("GetQueueAttributes&AttributeName.1=All" QU) SQS("GetQueueUrl&QueueName=q")
        SQS("TagQueue&Tag.1.Key=a&Tag.1.Value=1" QU) SQS("ListQueueTags" QU)
        SQS("UntagQueue&TagKey.1=a" QU)
        SQS("AddPermission&Label=l&AWSAccountId.1=123456789012&ActionName.1=SendMessage" QU)
        SQS("RemovePermission&Label=l" QU) SQS("PurgeQueue" QU) SQS("ListDeadLetterSourceQueues" QU)
        SQS("ListQueues&QueueNamePrefix=q&MaxResults=1") SQS("ListQueues&NextToken=$Nq.&MaxResults=2")
        SQS("DeleteQueue" QU),
    JSON("CreateQueue", "{\"QueueName\":\"dead\"}")
        JSON("CreateQueue", "{\"QueueName\":\"q\",\"Attributes\":{\"RedrivePolicy\":"
        "\"{\\\"deadLetterTargetArn\\\":\\\"" ARN "dead\\\",\\\"maxReceiveCount\\\":\\\"1\\\"}\"}}")
        SQS("StartMessageMoveTask&SourceArn=" ARN "dead") SQS("ListMessageMoveTasks&SourceArn=" ARN "dead")
        SQS("CancelMessageMoveTask&TaskHandle=$Tq.") SQS("CancelMessageMoveTask&TaskHandle=$Tqe"),
    /* SimpleDB */
    DOMAIN SDB("PutAttributes&DomainName=dom&ItemName=i&Attribute.1.Name=a&Attribute.1.Value=1"
        "&Attribute.1.Replace=true&Expected.Name=a&Expected.Exists=false")
        SDB("PutAttributes&DomainName=dom&ItemName=i&Attribute.1.Name=a&Attribute.1.Value=2"
        "&Expected.1.Name=a&Expected.1.Value=1")
        SDB("GetAttributes&DomainName=dom&ItemName=i&AttributeName.1=a&ConsistentRead=true")
        SDB("DeleteAttributes&DomainName=dom&ItemName=i&Attribute.1.Name=a&Attribute.1.Value=1"
        "&Expected.Name=a&Expected.Value=1")
        SDB("DomainMetadata&DomainName=dom") SDB("DeleteDomain&DomainName=dom"),
    DOMAIN ITEMS SDB("Select&SelectExpression=select%20*%20from%20dom%20where%20x%20%3E%20'0'%20"
        "order%20by%20x%20desc%20limit%201&ConsistentRead=true")
        SDB("Select&SelectExpression=select%20*%20from%20dom%20where%20x%20%3E%20'0'%20"
        "order%20by%20x%20desc%20limit%201&NextToken=$Nq.")
        SDB("Select&SelectExpression=select%20*%20from%20dom%20where%20x%20%3E%20'0'%20"
        "order%20by%20x%20desc%20limit%201&NextToken=$Nq2")
        SDB("BatchDeleteAttributes&DomainName=dom&Item.1.ItemName=a&Item.2.ItemName=b"
        "&Item.2.Attribute.1.Name=x"),
    DOMAIN ITEMS SDB("Select&SelectExpression=select%20count(*)%20from%20%60dom%60%20where%20"
        "every(x)%20in%20('1'%2C'2')%20intersection%20y%20is%20null%20or%20not%20x%20like%20'%25z'")
        SDB("Select&SelectExpression=select%20x%2C%20y%20from%20dom%20where%20itemName()%20"
        "between%20'a'%20and%20'c'%20limit%202") SDB("Select&SelectExpression=select%20x%2C"
        "%20y%20from%20dom%20where%20itemName()%20between%20'a'%20and%20'c'%20limit%202&NextToken=$Nq."),
    DOMAIN SDB("CreateDomain&DomainName=dom2") SDB("ListDomains&MaxNumberOfDomains=1")
        SDB("ListDomains&MaxNumberOfDomains=1&NextToken=$Nq.")
        SDB("ListDomains&MaxNumberOfDomains=1&NextToken=$NqZ"),
    /* EC2, IMDS, STS */
    LAUNCH EC2("DescribeInstances&MaxResults=5&Filter.1.Name=tag%3An&Filter.1.Value.1=*"
        "&Filter.2.Name=instance-state-name&Filter.2.Value.1=running")
        EC2("DescribeInstances&InstanceId.1=$I..") EC2("DescribeInstanceStatus&IncludeAllInstances=true")
        EC2("CreateTags&ResourceId.1=$I..&Tag.1.Key=a&Tag.1.Value=%C3%BC") EC2("DescribeTags&MaxResults=5")
        EC2("DescribeTags&MaxResults=5&NextToken=$Nq.") EC2("DeleteTags&ResourceId.1=$I..&Tag.1.Key=a")
        EC2("TerminateInstances&InstanceId.1=$I..") EC2("DescribeInstances&MaxResults=5&NextToken=$Nq1"),
    LAUNCH LAUNCH EC2("RunInstances&ImageId=ami-1&MinCount=4&MaxCount=6&DryRun=true")
        EC2("RunInstances&ImageId=ami-12345678&InstanceType=t3.micro&MinCount=4&MaxCount=6")
        EC2("DescribeInstances&MaxResults=5") EC2("DescribeInstances&MaxResults=5&NextToken=$Nq."),
    EC2("RunInstances&ImageId=ami-12345678&MinCount=1&MaxCount=100000") EC2("DescribeInstances"),
    EC2("DescribeSpotPriceHistory&InstanceType.1=c7g.large&ProductDescription.1=Linux%2FUNIX&MaxResults=5")
        EC2("DescribeSpotPriceHistory&MaxResults=5&NextToken=$Nq.")
        EC2("DescribeInstanceTypes&MaxResults=5&Filter.1.Name=processor-info.supported-architecture"
        "&Filter.1.Value.1=arm64") EC2("DescribeInstanceTypes&MaxResults=5&NextToken=$Nq.")
        FORM("Action=GetCallerIdentity&Version=2011-06-15"),
    LAUNCH TOKEN WITH_TOKEN("/latest/meta-data/") WITH_TOKEN("/latest/meta-data/instance-id")
        WITH_TOKEN("/latest/meta-data/placement/availability-zone") WITH_TOKEN("/latest/user-data")
        WITH_TOKEN("/latest/meta-data/tags/instance/n") WITH_TOKEN("/latest/meta-data/iam/security-credentials/")
        WITH_TOKEN("/latest/meta-data/iam/security-credentials/role") WITH_TOKEN("/latest/meta-data/iam/info")
        WITH_TOKEN("/latest/dynamic/instance-identity/document")
        CONTROL("interrupt", "instance=$I..") WITH_TOKEN("/latest/meta-data/spot/instance-action")
        GET("/_jobq/box/$I../latest/meta-data/instance-type") GET("/latest/meta-data/"),
    /* what is not AWS */
    MAKE SENT LAUNCH GET("/_jobq/healthz") GET("/_jobq/ledger?region=us-east-1&date=2026-11")
        GET("/metrics") GET("/_jobq/clock") CONTROL("clock", "advance=12h&speed=0.5")
        CONTROL("reset", "") GET("/_jobq/ledger"),
    MAKE SENT CONTROL("faults", "error=0.5; sqs.throttle=0.5; lost=0.1; drop=0.1; duplicate=0.5;"
        " short_poll=on; window=1s; sdb.latency=exp:1ms; sqs.model.duplicate_rate=1") TAKEN
        GET("/_jobq/faults") "DELETE /_jobq/faults HTTP/1.1\r\nHost: x\r\n\r\n" NEXT TAKEN,
    /* how a request is carried: chunks, pipelines, regions, query strings, HEAD, 100 */
    "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1a\r\nAction=ListDomains&Version\r\n"
        "b\r\n=2009-04-15\r\n0\r\nT: v\r\n\r\n" NEXT
        "GET /?Action=ListQueues&Version=2012-11-05 HTTP/1.1\r\nHost: sqs.eu-west-1.amazonaws.com\r\n\r\n"
        "GET /123456789012/q?Action=PurgeQueue HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" NEXT
        "HEAD /_jobq/healthz HTTP/1.1\r\nHost: x\r\n\r\nHEAD / HTTP/1.1\r\nHost: x\r\n\r\n" NEXT
        "POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n" NEXT "Action" NEXT,
    MAKE "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: 78\r\n\r\n"
        "{\"QueueUrl\":\"http://localhost/123456789012/q\",\"WaitTimeSeconds\":20           }"
        "GET /_jobq/clock HTTP/1.1\r\nHost: x\r\n\r\nGET /metrics HTTP/1.0\r\n\r\n" NEXT,
    POST("Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/eu-west-1/sqs/aws4_request, "
        "SignedHeaders=host;x-amz-date, Signature=00\r\nX-Amz-Date: 20260101T000000Z\r\n"
        "X-Amz-Target: AmazonSQS.ListQueues\r\n", "{}"),
    "!" MAKE SDB("ListDomains&AWSAccessKeyId=AKIDEXAMPLE&SignatureVersion=2&SignatureMethod=HmacSHA256"
        "&Timestamp=2026-01-01T00%3A00%3A00Z&Signature=AAAA") LAUNCH FORM("Action=GetCallerIdentity"
        "&Version=2011-06-15") GET("/_jobq/healthz"),
    0};
