// Package awssecret reads a secret from AWS Secrets Manager. It is apart from
// config so that only programs that ask for it link the client.
package awssecret

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"guarda/shared/config"
)

// Fetch returns the members of a JSON secret that are texts. It signs with the
// credentials that Lambda puts in the environment: the SDK's search for
// credentials elsewhere would be most of the client's size.
func Fetch(ctx context.Context, arn string) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 8*time.Second)
	defer cancel()
	env := config.FunctionAWS()
	o := secretsmanager.Options{
		Region: env.Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: env.AccessKeyID, SecretAccessKey: env.SecretAccessKey, SessionToken: env.SessionToken}, nil
		}),
	}
	if env.SecretsEndpoint != "" {
		o.BaseEndpoint = aws.String(env.SecretsEndpoint)
	}
	out, err := secretsmanager.New(o).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: aws.String(arn)})
	if err != nil {
		return nil, fmt.Errorf("get secret value: %w", err)
	}
	members := map[string]any{}
	if err := json.Unmarshal([]byte(aws.ToString(out.SecretString)), &members); err != nil {
		return nil, errors.New("the secret is not a JSON object") // the cause would quote it
	}
	texts := map[string]string{}
	for k, v := range members {
		if s, ok := v.(string); ok {
			texts[k] = s
		}
	}
	return texts, nil
}
